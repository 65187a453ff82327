import { type Actor, auditStatement } from './audit-log.js';
import { type Delivery, Prisma, type PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';

/**
 * Sends a finished delivery (of this customer, where one is named) back for a fresh round whose first attempt is due at once:
 * compare-and-set, null when the delivery is not finished or its endpoint does not take deliveries. Answers the row as it is
 * then, so that nobody has to read it again before enqueuing its job. The fence goes up, so that no attempt of an
 * earlier round can still fail this one; it reserves the new round's first attempt number.
 */
export async function retryFinishedDelivery(
  prisma: PrismaClient,
  { id, customerId }: { id: string; customerId?: string },
  actor: Actor,
): Promise<Delivery | null> {
  const audit = auditStatement(
    { ...actor, action: 'delivery.retried' },
    Prisma.sql`SELECT id, "customerId" AS customer_id FROM retried`,
  );
  const rows = await prisma.$queryRaw<Delivery[]>`
    WITH retried AS (
      UPDATE deliveries delivery SET
        status = 'pending', failure_reason = NULL, completed_at = NULL, lease_expires_at = NULL,
        round = delivery.round + 1, failed_count = 0, starts = 0,
        generation = delivery.generation + 1, job_id = NULL,
        fence = delivery.fence + (delivery.starts > 0)::int,
        next_attempt_at = now(), recover_at = now() + ${JOB_GRACE_MS}::int * interval '1 ms'
      FROM endpoints endpoint
      WHERE delivery.id = ${id}::uuid AND delivery.customer_id = COALESCE(${customerId ?? null}::uuid, delivery.customer_id)
        AND delivery.status IN ('success', 'failed', 'cancelled')
        AND endpoint.id = delivery.endpoint_id AND endpoint.customer_id = delivery.customer_id
        AND endpoint.active AND endpoint.deleted_at IS NULL
      RETURNING delivery.id, delivery.customer_id AS "customerId", delivery.event_id AS "eventId",
        delivery.endpoint_id AS "endpointId", delivery.event_type AS "eventType", delivery.status,
        delivery.failure_reason AS "failureReason", delivery.max_attempts AS "maxAttempts", delivery.round,
        delivery.failed_count AS "failedCount", delivery.starts, delivery.fence,
        delivery.lease_expires_at AS "leaseExpiresAt", delivery.generation, delivery.job_id AS "jobId",
        delivery.hold_reason AS "holdReason", delivery.held_since AS "heldSince", delivery.granted_until AS "grantedUntil",
        delivery.claimed_generation AS "claimedGeneration", delivery.recover_at AS "recoverAt",
        delivery.next_attempt_at AS "nextAttemptAt", delivery.last_attempt_at AS "lastAttemptAt",
        delivery.response_code AS "responseCode", delivery.last_error AS "lastError",
        delivery.created_at AS "createdAt", delivery.completed_at AS "completedAt"
    ),
    audited AS (${audit})
    SELECT * FROM retried`;
  return rows[0] ?? null;
}
