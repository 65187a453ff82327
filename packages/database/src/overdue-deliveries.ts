import type { PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';

/** `count` stops at `countLimit`; `oldestMs` is how long the oldest has been due, 0 when there is none. */
export type OverdueSummary = { count: number; oldestMs: number };

/** Deliveries that should have been started more than the grace ago and that nobody is sending. */
export async function summarizeOverdue(
  prisma: PrismaClient,
  { countLimit }: { countLimit: number },
): Promise<OverdueSummary> {
  const [row] = await prisma.$queryRaw<OverdueSummary[]>`
    /* prepared: overdue_summary */
    SELECT count(*)::int AS count,
      coalesce(extract(epoch FROM now() - min(next_attempt_at)) * 1000, 0)::float8 AS "oldestMs"
    FROM (
      SELECT next_attempt_at FROM deliveries
      WHERE lease_expires_at IS NULL AND next_attempt_at < now() - ${JOB_GRACE_MS}::int * interval '1 ms'
      ORDER BY next_attempt_at LIMIT ${countLimit}::int
    ) overdue`;
  return row ?? { count: 0, oldestMs: 0 };
}

/** For how long the oldest delivery that is due has been waiting for a worker, 0 when none is. */
export async function oldestDueMs(prisma: PrismaClient): Promise<number> {
  const rows = await prisma.$queryRaw<{ dueMs: number }[]>`
    /* prepared: oldest_due */
    SELECT (extract(epoch FROM now() - next_attempt_at) * 1000)::float8 AS "dueMs" FROM deliveries
    WHERE lease_expires_at IS NULL AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT 1`;
  return rows[0]?.dueMs ?? 0;
}
