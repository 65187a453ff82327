import type { PrismaClient } from './generated/client.js';

/** The epoch of the Redis that holds the jobs, as the sweepers last saw it; null before the first of them. */
export async function readQueueEpoch(prisma: PrismaClient): Promise<string | null> {
  const row = await prisma.queueEpoch.findUnique({ where: { isOnly: true } });
  return row?.epoch ?? null;
}

/** One statement, because all sweepers may notice at the same moment. Prisma's upsert reads first, and two would insert. */
export async function rememberQueueEpoch(prisma: PrismaClient, epoch: string): Promise<void> {
  await prisma.$executeRaw`
    INSERT INTO queue_epoch (epoch, noticed_at) VALUES (${epoch}, now())
    ON CONFLICT (is_only) DO UPDATE SET epoch = excluded.epoch, noticed_at = excluded.noticed_at`;
}

/** Brings deadlines forward after a wipe, from `startsAt` on, `perSecond` each second. On the database's clock. */
export type RearmWave = { startsAt: Date; endsAt: Date; perSecond: number };

/** Counted so far and no further, or a wipe behind tens of millions would be noticed and never recovered. */
const COUNT_LIMIT = 200_000;

/**
 * A wave as long as all that is unfinished takes. Beyond `countLimit` it is as many as the index had when it was last vacuumed or
 * analyzed; what comes on top of that gets the end of the wave.
 */
export async function planRearmWave(
  prisma: PrismaClient,
  { perSecond, countLimit = COUNT_LIMIT }: { perSecond: number; countLimit?: number },
): Promise<RearmWave & { unfinished: number }> {
  const [row] = await prisma.$queryRaw<{ startsAt: Date; endsAt: Date; unfinished: number }[]>`
    WITH counted AS (
      SELECT count(*) AS rows FROM (
        SELECT FROM deliveries WHERE recover_at IS NOT NULL LIMIT ${countLimit}::int
      ) AS first_ones
    ),
    estimated AS (
      SELECT CASE WHEN rows < ${countLimit}::int THEN rows ELSE greatest(rows, (
        SELECT sum(reltuples) FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'deliveries_recover_at_idx'::regclass
      )) END AS unfinished FROM counted
    )
    SELECT now() AS "startsAt", now() + unfinished / ${perSecond}::float8 * interval '1 s' AS "endsAt",
      unfinished::int AS unfinished
    FROM estimated`;
  if (row === undefined) throw new Error('a count answered no row');
  return { ...row, perSecond };
}

/**
 * One step of the wave: up to `limit` unfinished deliveries whose deadline lies behind its end get one inside it, in the
 * order of their deadlines, after the `offset` of those before. Not those in flight: their worker needs no job to record
 * what comes back. Answers how many; fewer than `limit` means that the wave is complete. Repeating it is harmless.
 */
export async function rearmForWave(
  prisma: PrismaClient,
  wave: RearmWave,
  { limit, offset }: { limit: number; offset: number },
): Promise<number> {
  return prisma.$executeRaw`
    WITH held AS (
      SELECT id, recover_at FROM deliveries
      WHERE recover_at > ${wave.endsAt.toISOString()}::timestamptz
        AND (lease_expires_at IS NULL OR lease_expires_at <= now())
      ORDER BY recover_at LIMIT ${limit}::int
      FOR UPDATE SKIP LOCKED
    ),
    numbered AS (
      SELECT id, row_number() OVER (ORDER BY recover_at) - 1 + ${offset}::int AS position FROM held
    )
    UPDATE deliveries delivery
    SET recover_at = least(
      ${wave.startsAt.toISOString()}::timestamptz + floor(position / ${wave.perSecond}::float8) * interval '1 s',
      ${wave.endsAt.toISOString()}::timestamptz)
    FROM numbered WHERE delivery.id = numbered.id`;
}
