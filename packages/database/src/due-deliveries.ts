import type { PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';

/** Of these deliveries those that should have been started by now and that nobody is sending. */
export async function dueAmong(prisma: PrismaClient, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM deliveries WHERE id = ANY(${[...ids]}::uuid[])
      AND next_attempt_at <= now() AND (lease_expires_at IS NULL OR lease_expires_at <= now())`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Lets the next sweep look at up to `limit` deliveries that should have been started more than the grace ago and that nobody
 * is sending, the longest due first, if it would not look at them within `beyondMs`: one that was accepted behind a backlog has
 * a late deadline. Rows that somebody has locked are left out. Answers how many.
 */
export async function bringForwardOverdue(
  prisma: PrismaClient,
  { limit, beyondMs }: { limit: number; beyondMs: number },
): Promise<number> {
  return prisma.$executeRaw`
    WITH overdue AS (
      SELECT id, next_attempt_at FROM deliveries
      WHERE next_attempt_at < now() - ${JOB_GRACE_MS}::int * interval '1 ms'
        AND (lease_expires_at IS NULL OR lease_expires_at <= now())
        AND recover_at > now() + ${beyondMs}::int * interval '1 ms'
      ORDER BY next_attempt_at LIMIT ${limit}::int
      FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries delivery SET recover_at = overdue.next_attempt_at FROM overdue WHERE delivery.id = overdue.id`;
}
