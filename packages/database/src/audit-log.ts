import { type AuditActor, Prisma, type PrismaClient } from './generated/client.js';

/** Who acts, and in which HTTP request. */
export type Actor = { actor: AuditActor; actorKeyId: string | null; requestId: string | null };

/** When nobody has asked: a receiver's answer has brought it about. */
export const DRIFTWIRE: Actor = { actor: 'driftwire', actorKeyId: null, requestId: null };

export type AuditAction =
  | 'customer.created'
  | 'api_key.created'
  | 'api_key.revoked'
  | 'endpoint.created'
  | 'endpoint.changed'
  | 'endpoint.secret_rotated'
  | 'endpoint.deactivated'
  | 'endpoint.circuit_opened'
  | 'endpoint.circuit_closed'
  | 'endpoint.deleted'
  | 'delivery.retried'
  | 'delivery.given_up';

/** What was done, by whom. `detail` is shown as it is, so it never holds a value that was given in confidence. */
export type Deed = Actor & { action: AuditAction; detail?: Record<string, string | number | null | string[]> };

/**
 * A line for each of `subjects`, a SELECT of `id` and `customer_id`: goes into the same array transaction as the change. Before a
 * conditional change, `subjects` has the change's own condition and locks its row (FOR NO KEY UPDATE), so that there is a
 * line exactly when there is a change.
 */
export function auditAll(prisma: PrismaClient, deed: Deed, subjects: Prisma.Sql): Prisma.PrismaPromise<number> {
  return prisma.$executeRaw(auditStatement(deed, subjects));
}

/** The same as SQL, for a statement that changes and audits at once. */
export function auditStatement(deed: Deed, subjects: Prisma.Sql): Prisma.Sql {
  const { actor, actorKeyId, requestId, action, detail = null } = deed;
  const [subjectType] = action.split('.');
  return Prisma.sql`
    INSERT INTO audit_log
      (id, customer_id, actor, actor_key_id, request_id, action, subject_type, subject_id, detail, created_at)
    SELECT uuidv7_at(clock_timestamp()), subject.customer_id, ${actor}::audit_actor, ${actorKeyId}::uuid,
      ${requestId}::uuid, ${action}, ${subjectType}, subject.id,
      ${detail === null ? null : JSON.stringify(detail)}::jsonb, clock_timestamp()
    FROM (${subjects}) AS subject`;
}
