import type { PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';

/**
 * Gives a claim back unused: no request was made, so neither the start nor the number counts. Compare-and-set on the
 * fence: false when the lease has already passed to somebody else. The delivery is due again after `dueInMs`.
 */
export async function releaseClaim(
  prisma: PrismaClient,
  claim: { deliveryId: string; fence: number },
  { dueInMs }: { dueInMs: number },
): Promise<boolean> {
  const count = await prisma.$executeRaw`
    UPDATE deliveries SET
      fence = fence - (starts > 1)::int,
      starts = starts - 1,
      last_attempt_at = (SELECT max(started_at) FROM attempts WHERE delivery_id = deliveries.id),
      lease_expires_at = NULL,
      next_attempt_at = now() + ${dueInMs}::float8 * interval '1 ms',
      recover_at = now() + ${dueInMs + JOB_GRACE_MS}::float8 * interval '1 ms'
    WHERE id = ${claim.deliveryId}::uuid AND fence = ${claim.fence}::int AND lease_expires_at IS NOT NULL`;
  return count === 1;
}
