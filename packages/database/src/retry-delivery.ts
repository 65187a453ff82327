import type { PrismaClient } from './generated/client.js';

/** The new round's job. */
export type RetriedDelivery = { id: string; generation: number };

const ENQUEUE_GRACE_MS = 5_000;

/**
 * Sends a finished delivery back for a fresh round whose first attempt is due at once: compare-and-set, null when the
 * delivery is not finished or its endpoint does not take deliveries. The fence goes up, so that no attempt of an
 * earlier round can still fail this one; it reserves the new round's first attempt number.
 */
export async function retryFinishedDelivery(prisma: PrismaClient, deliveryId: string): Promise<RetriedDelivery | null> {
  const rows = await prisma.$queryRaw<RetriedDelivery[]>`
    UPDATE deliveries delivery SET
      status = 'pending', failure_reason = NULL, completed_at = NULL, lease_expires_at = NULL,
      round = delivery.round + 1, failed_count = 0, starts = 0,
      generation = delivery.generation + 1,
      fence = delivery.fence + (delivery.starts > 0)::int,
      next_attempt_at = now(), recover_at = now() + ${ENQUEUE_GRACE_MS}::int * interval '1 ms'
    FROM endpoints endpoint
    WHERE delivery.id = ${deliveryId}::uuid AND delivery.status IN ('success', 'failed', 'cancelled')
      AND endpoint.id = delivery.endpoint_id AND endpoint.active AND endpoint.deleted_at IS NULL
    RETURNING delivery.id, delivery.generation`;
  return rows[0] ?? null;
}
