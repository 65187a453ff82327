import { idFloor } from '@driftwire/database';
import { z } from 'zod';
import type { Cursors } from './cursor.js';
import { instant } from './fields.js';
import { given } from './given.js';
import type { Answer } from './route.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** The query every list takes. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, 'must be a whole number from 1 to 200')
    .default(DEFAULT_LIMIT)
    .meta({ description: `Rows on a page, 1 to ${MAX_LIMIT}.` }),
  cursor: z.string().max(64).optional().meta({ description: 'next_cursor of the page before.' }),
  customer_id: z.uuid('must be the id of a customer').toLowerCase().optional(),
};

const OVERLAP =
  'What was created after this. What is new can be read 30 s after its created_at at the latest: to miss nothing, ask again ' +
  'from 30 s before the newest you have seen, and pass over the ids you know.';

export const createdQuery = {
  created_after: instant.optional().meta({ description: OVERLAP }),
  created_before: instant.optional(),
};

type PageArguments = { where: { id?: { lt: string } }; take: number; orderBy: { id: 'desc' } };

/** Answers one page, newest first, from behind the cursor. `find` is asked for one row more than the page holds. */
export async function answerPage<Row extends { id: string }>(
  cursors: Cursors,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  { find, view }: { find: (page: PageArguments) => Promise<Row[]>; view: (row: Row) => object },
): Promise<Answer> {
  const where = cursor === undefined ? {} : { id: { lt: cursors.decode(cursor) } };
  const found = await find({ where, take: limit + 1, orderBy: { id: 'desc' } });
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const next_cursor = found.length > limit && last ? cursors.encode(last.id) : null;
  return { status: 200, body: { data: rows.map(view), next_cursor } };
}

/** What a page of events or deliveries is bounded by; their ids carry the millisecond they were created in. */
export function idBounds(
  cursors: Cursors,
  query: { created_after?: string | undefined; created_before?: string | undefined; cursor?: string | undefined },
): { from?: string; below?: string } {
  const { created_after: after, created_before: before, cursor } = query;
  const belows = [
    ...(before === undefined ? [] : [idFloor(Date.parse(before))]),
    ...(cursor === undefined ? [] : [cursors.decode(cursor)]),
  ];
  return given({
    from: after === undefined ? undefined : idFloor(Date.parse(after) + 1),
    below: belows.sort()[0],
  });
}

export function listSchema<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}
