import { Prisma, type PrismaClient } from './generated/client.js';

/** What a list can be limited to, with the type of each column. */
const COLUMNS = {
  id: 'uuid',
  customer_id: 'uuid',
  endpoint_id: 'uuid',
  event_id: 'uuid',
  request_id: 'uuid',
  status: 'delivery_status',
  event_type: 'text',
  drift_type: 'text',
  failure_reason: 'failure_reason',
  hold_reason: 'hold_reason',
} as const;

/** `held`: 'true' or 'false'. */
export type Conditions = { [Column in keyof typeof COLUMNS | 'held']?: string };

export type ListQuery = {
  table: 'drift_events' | 'deliveries';
  /** Served by one index that ends in the id. */
  indexed: Conditions;
  /** Looked at row by row, over a bounded number of rows. */
  residual: Conditions;
  /** Of drift events: those with this idempotency key; residual as well. */
  idempotencyKey?: string;
  /** UUIDs: from the first of these, and below the second. */
  from?: string;
  below?: string;
  limit: number;
};

export type ListedIds = {
  /** Newest first, `limit` at most. */
  ids: string[];
  /** The id below which the list goes on; null when this was all. Set although the page is short: what was looked at did not match. */
  next: string | null;
};

/** Rows that one page looks at. */
const EXAMINED_ROWS = 2_000;

/**
 * A page of ids. It costs about the same however many rows there are and however few of them match: where an index does not
 * serve the whole question, the rest is answered by looking at a bounded number of rows, and the page may be short or empty.
 */
export async function listIds(prisma: PrismaClient, query: ListQuery): Promise<ListedIds> {
  const residual = residualOf(query);
  const examinedRows = residual === null ? query.limit + 1 : EXAMINED_ROWS;
  const [page] = await prisma.$queryRaw<{ ids: string[]; examined: number; last: string | null }[]>`
    WITH examined AS MATERIALIZED (
      SELECT id, ${residual ?? Prisma.sql`true`} AS matches FROM ${Prisma.raw(query.table)} AS listed
      WHERE ${Prisma.join(indexedOf(query), ' AND ')} ORDER BY id DESC LIMIT ${examinedRows}::int
    )
    SELECT ARRAY(SELECT id::text FROM examined WHERE matches ORDER BY id DESC LIMIT ${query.limit + 1}::int) AS ids,
      (SELECT count(*)::int FROM examined) AS examined,
      (SELECT id::text FROM examined ORDER BY id LIMIT 1) AS last`;
  const { ids = [], examined = 0, last = null } = page ?? {};
  if (ids.length > query.limit) return { ids: ids.slice(0, query.limit), next: ids[query.limit - 1] ?? null };
  return { ids, next: residual !== null && examined === examinedRows ? last : null };
}

function indexedOf({ indexed, from, below }: ListQuery): Prisma.Sql[] {
  return [
    Prisma.sql`true`,
    ...equalities(indexed),
    ...(from === undefined ? [] : [Prisma.sql`id >= ${from}::uuid`]),
    ...(below === undefined ? [] : [Prisma.sql`id < ${below}::uuid`]),
  ];
}

function residualOf({ residual, idempotencyKey }: ListQuery): Prisma.Sql | null {
  const conditions = [...equalities(residual), ...(idempotencyKey === undefined ? [] : [hasKey(idempotencyKey)])];
  return conditions.length === 0 ? null : Prisma.join(conditions, ' AND ');
}

function equalities(conditions: Conditions): Prisma.Sql[] {
  return Object.entries(conditions).map(([column, value]) => {
    if (column === 'held')
      return value === 'true' ? Prisma.sql`hold_reason IS NOT NULL` : Prisma.sql`hold_reason IS NULL`;
    const type = COLUMNS[column as keyof typeof COLUMNS];
    return Prisma.sql`${Prisma.raw(column)} = ${value}::${Prisma.raw(type)}`;
  });
}

function hasKey(key: string): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM idempotency_keys keys WHERE keys.event_id = listed.id AND keys.key = ${key})`;
}

/** The UUIDv7 with which a millisecond begins: `id >= idFloor(t)` is "created at t or later". */
export function idFloor(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), MAX_MS).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** RFC 9562, section 5.7: a UUIDv7 has 48 bits for it. */
const MAX_MS = 2 ** 48 - 1;
