import type { RawQuery } from './direct-query.js';
import { Prisma, type PrismaClient } from './generated/client.js';
import { isLockNotAvailable, isPartitionMissing, NoPartition } from './postgres-error.js';

/** What became of a day: `unfinished` and `busy` days stay, and are tried again the next time. */
export type DayDropped = { day: string; became: 'dropped' | 'unfinished' | 'busy'; purgedKeys: number };

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 7;
/** How far from the database's today a day may be to be made because a row asks for it. */
const MADE_BEHIND = 8;
const MADE_AHEAD = 30;
const TODAY = Prisma.sql`(now() AT TIME ZONE 'UTC')::date`;
const PURGE_BATCH = 5_000;

/**
 * Makes the partitions from yesterday to a week ahead that are not there yet, attaches those that somebody has detached, and answers
 * how many days were not whole. Without the partitions of its day no event can be stored, which is why every process sees
 * to it. A day that cannot be made keeps no other from it.
 */
export async function makePartitionsAhead(prisma: PrismaClient): Promise<number> {
  const missing = await prisma.$queryRaw<{ day: string }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day FROM (
      SELECT ${TODAY} + generate_series(-1, ${DAYS_AHEAD}::int) AS day
    ) AS days WHERE attached_partitions(day) < 3 ORDER BY day`;
  let made = 0;
  const failures: unknown[] = [];
  for (const { day } of missing) {
    await makeDay(prisma, day).then(
      (isNew) => (made += Number(isNew)),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw failures[0];
  return made;
}

async function makeDay(prisma: PrismaClient, day: string): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ made: boolean }[]>`SELECT make_partitions(${day}::date) AS made`;
  return row?.made === true;
}

/** Whole days from today on for which everything can be stored; 0 when today is not one. Looks no further than a week. */
export async function partitionDaysAhead(prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<{ days: number }[]>`
    SELECT coalesce(min(ahead), ${DAYS_AHEAD}::int + 1) AS days
    FROM generate_series(0, ${DAYS_AHEAD}::int) AS ahead WHERE attached_partitions(${TODAY} + ahead) < 3`;
  return row?.days ?? 0;
}

/**
 * Runs a statement that stores rows with these ids. Where a partition of their days is missing, the days are made and the statement
 * runs a second time. Only days near the database's today are made, or a wrong clock could fill the database with them.
 */
export async function withPartitions<T>(database: RawQuery, ids: readonly string[], run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isPartitionMissing(error)) throw error;
    await makePartitionsOf(database, ids);
    return run().catch((again: unknown) => {
      throw isPartitionMissing(again) ? new NoPartition('these days are not made', { cause: again }) : again;
    });
  }
}

async function makePartitionsOf(database: RawQuery, ids: readonly string[]): Promise<void> {
  const days = [...new Set(ids.map(dayOf))];
  try {
    await database.$queryRaw`
      SELECT make_partitions(day) FROM unnest(${days}::date[]) AS day
      WHERE day BETWEEN ${TODAY} - ${MADE_BEHIND}::int AND ${TODAY} + ${MADE_AHEAD}::int ORDER BY day`;
  } catch (cause) {
    throw new NoPartition(`the partitions of ${days.join(', ')} cannot be made`, { cause });
  }
}

/** The day (UTC) of a UUIDv7. RFC 9562, section 5.7: 48 bits of milliseconds come first. */
function dayOf(id: string): string {
  const ms = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
  return new Date(ms).toISOString().slice(0, 10);
}

/**
 * The days (UTC, `2026-01-31`) that ended more than so many days ago, oldest first; by the database's clock and by ours: one of them
 * may be wrong, and what is dropped is gone.
 */
export async function expiredDays(
  prisma: PrismaClient,
  { retentionDays, now }: { retentionDays: number; now: Date },
): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ day: string }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day FROM (${DAYS_THERE}) AS days
    WHERE day < least(${TODAY}, ${now.toISOString().slice(0, 10)}::date) - ${retentionDays}::int
    ORDER BY day`;
  return rows.map(({ day }) => day);
}

const DAYS_THERE = Prisma.sql`
  SELECT DISTINCT to_date(right(relname, 8), 'YYYYMMDD') AS day FROM pg_inherits JOIN pg_class ON oid = inhrelid
  WHERE inhparent IN ('drift_events'::regclass, 'deliveries'::regclass, 'attempts'::regclass) AND relname ~ '_\\d{8}$'`;

/** The days that are there, from the oldest to tomorrow: whose clock runs ahead may have stored something by then. */
export async function storedDays(prisma: PrismaClient): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ day: string }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day FROM (${DAYS_THERE}) AS days WHERE day <= ${TODAY} + 1 ORDER BY day`;
  return rows.map(({ day }) => day);
}

/**
 * Drops a day's attempts, deliveries and events, and purges the idempotency keys of those events before. A day with a delivery
 * that is not at its end keeps everything.
 */
export async function dropDay(
  prisma: PrismaClient,
  day: string,
  onPurged: (keys: number) => void = () => {},
): Promise<DayDropped> {
  if (await hasUnfinished(prisma, day)) return { day, became: 'unfinished', purgedKeys: 0 };
  const purgedKeys = await purgeKeys(prisma, day, onPurged);
  return { day, became: await dropPartitions(prisma, day), purgedKeys };
}

async function hasUnfinished(prisma: PrismaClient, day: string): Promise<boolean> {
  const { from, below } = dayRange(day);
  const [row] = await prisma.$queryRaw<{ unfinished: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM deliveries WHERE recover_at IS NOT NULL
        AND id >= uuidv7_floor(${from}::timestamptz) AND id < uuidv7_floor(${below}::timestamptz)
    ) AS unfinished`;
  return row?.unfinished === true;
}

/** In batches, so that no statement runs for long. */
async function purgeKeys(prisma: PrismaClient, day: string, onPurged: (keys: number) => void): Promise<number> {
  const { from, below } = dayRange(day);
  let purged = 0;
  for (;;) {
    const batch = await prisma.$executeRaw`
      DELETE FROM idempotency_keys WHERE (customer_id, key) IN (
        SELECT customer_id, key FROM idempotency_keys
        WHERE event_id >= uuidv7_floor(${from}::timestamptz) AND event_id < uuidv7_floor(${below}::timestamptz)
        LIMIT ${PURGE_BATCH}::int
      )`;
    purged += batch;
    onPurged(purged);
    if (batch < PURGE_BATCH) return purged;
  }
}

async function dropPartitions(prisma: PrismaClient, day: string): Promise<DayDropped['became']> {
  try {
    const [row] = await prisma.$queryRaw<{ became: string }[]>`SELECT drop_partitions(${day}::date) AS became`;
    return row?.became === 'unfinished' ? 'unfinished' : 'dropped';
  } catch (error) {
    if (isLockNotAvailable(error)) return 'busy';
    throw error;
  }
}

/** The instants between which a day (UTC) lies. */
export function dayRange(day: string): { from: string; below: string } {
  const from = `${day}T00:00:00Z`;
  return { from, below: new Date(Date.parse(from) + DAY_MS).toISOString() };
}
