import type { PrismaClient } from './generated/client.js';
import { isLockNotAvailable } from './postgres-error.js';

/** What became of a day: `unfinished` and `busy` days stay, and are tried again the next time. */
export type DayDropped = { day: string; became: 'dropped' | 'unfinished' | 'busy'; purgedKeys: number };

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 7;
const PURGE_BATCH = 5_000;

/**
 * Makes the partitions from yesterday to a week ahead that are not there yet, and answers how many days were missing. Without
 * the partition of its day no event can be stored, which is why every process sees to it.
 */
export async function makePartitionsAhead(prisma: PrismaClient): Promise<number> {
  let made = 0;
  for (let ahead = -1; ahead <= DAYS_AHEAD; ahead += 1) {
    const [row] = await prisma.$queryRaw<{ made: boolean }[]>`
      SELECT make_partitions((now() AT TIME ZONE 'UTC')::date + ${ahead}::int) AS made`;
    made += Number(row?.made);
  }
  return made;
}

/** The days (UTC, `2026-01-31`) that ended more than so many days ago, oldest first. */
export async function expiredDays(
  prisma: PrismaClient,
  { retentionDays }: { retentionDays: number },
): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ day: string }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day FROM (
      SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') AS day
      FROM pg_inherits WHERE inhparent = 'drift_events'::regclass
    ) AS days
    WHERE day < (now() AT TIME ZONE 'UTC')::date - ${retentionDays}::int
    ORDER BY day`;
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
  const [row] = await prisma.$queryRaw<{ unfinished: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM deliveries WHERE recover_at IS NOT NULL
        AND id >= uuidv7_floor(${startOf(day)}::timestamptz) AND id < uuidv7_floor(${endOf(day)}::timestamptz)
    ) AS unfinished`;
  return row?.unfinished === true;
}

/** In batches, so that no statement runs for long. */
async function purgeKeys(prisma: PrismaClient, day: string, onPurged: (keys: number) => void): Promise<number> {
  let purged = 0;
  for (;;) {
    const batch = await prisma.$executeRaw`
      DELETE FROM idempotency_keys WHERE (customer_id, key) IN (
        SELECT customer_id, key FROM idempotency_keys
        WHERE event_id >= uuidv7_floor(${startOf(day)}::timestamptz) AND event_id < uuidv7_floor(${endOf(day)}::timestamptz)
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

function startOf(day: string): string {
  return `${day}T00:00:00Z`;
}

function endOf(day: string): string {
  return new Date(Date.parse(startOf(day)) + DAY_MS).toISOString();
}
