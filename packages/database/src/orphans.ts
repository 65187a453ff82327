import { Prisma, type PrismaClient } from './generated/client.js';
import { dayRange } from './partitions.js';

/** What refers to something, and what that is. `customer_id` belongs to both, or the reference leads to another customer. */
const REFERENCES = [
  {
    what: 'drift events without their customer',
    table: 'drift_events',
    id: 'id',
    isThere: Prisma.sql`SELECT FROM customers WHERE customers.id = looked.customer_id`,
  },
  {
    what: 'deliveries without their endpoint',
    table: 'deliveries',
    id: 'id',
    isThere: Prisma.sql`
      SELECT FROM endpoints WHERE endpoints.id = looked.endpoint_id AND endpoints.customer_id = looked.customer_id`,
  },
  {
    what: 'deliveries without their drift event',
    table: 'deliveries',
    id: 'id',
    isThere: Prisma.sql`
      SELECT FROM drift_events WHERE drift_events.id = looked.event_id AND drift_events.customer_id = looked.customer_id`,
  },
  {
    what: 'attempts without their delivery',
    table: 'attempts',
    id: 'delivery_id',
    isThere: Prisma.sql`
      SELECT FROM deliveries WHERE deliveries.id = looked.delivery_id AND deliveries.customer_id = looked.customer_id`,
  },
  {
    what: 'idempotency keys without their drift event',
    table: 'idempotency_keys',
    id: 'event_id',
    isThere: Prisma.sql`
      SELECT FROM drift_events WHERE drift_events.id = looked.event_id AND drift_events.customer_id = looked.customer_id`,
  },
] as const;

/** Of one day: how many rows were looked at, how many of them refer to what is not there, and the ids of the first of those. */
export type OrphanSearch = { what: string; looked: number; orphans: number; examples: string[] };

/** So many rows a statement looks at, and a few more where several have the same id. */
const BATCH = 5_000;
const EXAMPLES = 5;

/**
 * What foreign keys would have refused (docs/adr/0010-no-foreign-keys-on-the-hot-tables.md), of one day (`2026-01-31`, UTC). Only
 * reads, and in small statements, each of which sees one state of the database: beside a running system it finds nothing that is
 * merely on its way.
 */
export async function findOrphans(
  prisma: PrismaClient,
  day: string,
  { batch = BATCH, onLooked = () => {} }: { batch?: number; onLooked?: (rows: number) => void } = {},
): Promise<OrphanSearch[]> {
  const searches: OrphanSearch[] = [];
  for (const reference of REFERENCES) searches.push(await searchDay(prisma, { reference, day, batch, onLooked }));
  return searches;
}

type Reference = (typeof REFERENCES)[number];
type DaySearch = { reference: Reference; day: string; batch: number; onLooked: (rows: number) => void };

async function searchDay(prisma: PrismaClient, { reference, day, batch, onLooked }: DaySearch): Promise<OrphanSearch> {
  const search: OrphanSearch = { what: reference.what, looked: 0, orphans: 0, examples: [] };
  const { from, below } = dayRange(day);
  for (let after: string | null = null; ; ) {
    const found: Found = await searchBatch(prisma, reference, { from, below, after, batch });
    search.looked += found.looked;
    search.orphans += found.orphans.length;
    search.examples = [...search.examples, ...found.orphans].slice(0, EXAMPLES);
    onLooked(found.looked);
    if (found.looked < batch) return search;
    after = found.last;
  }
}

type Found = { looked: number; last: string | null; orphans: string[] };
type Batch = { from: string; below: string; after: string | null; batch: number };

async function searchBatch(
  prisma: PrismaClient,
  { table, id, isThere }: Reference,
  { from, below, after, batch }: Batch,
): Promise<Found> {
  const key = Prisma.raw(id);
  const [found] = await prisma.$queryRaw<Found[]>`
    WITH looked AS MATERIALIZED (
      SELECT * FROM ${Prisma.raw(table)}
      WHERE ${key} >= uuidv7_floor(${from}::timestamptz) AND ${key} < uuidv7_floor(${below}::timestamptz)
        AND ${after === null ? Prisma.sql`true` : Prisma.sql`${key} > ${after}::uuid`}
      ORDER BY ${key} FETCH FIRST (${batch}::int) ROWS WITH TIES
    )
    SELECT (SELECT count(*)::int FROM looked) AS looked,
      (SELECT ${key}::text FROM looked ORDER BY ${key} DESC LIMIT 1) AS last,
      ARRAY(SELECT ${key}::text FROM looked WHERE NOT EXISTS (${isThere}) ORDER BY ${key}) AS orphans`;
  return found ?? { looked: 0, last: null, orphans: [] };
}
