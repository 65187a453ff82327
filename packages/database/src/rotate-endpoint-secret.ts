import { type Actor, auditStatement } from './audit-log.js';
import { type Endpoint, Prisma, type PrismaClient } from './generated/client.js';

/**
 * Gives an endpoint a new secret; for `overlapSeconds` of the database's clock, which claims go by, the one before signs too. A second
 * rotation inside an overlap drops the oldest: there are never more than two. Compare-and-set on the version: null when the endpoint has changed.
 */
export async function rotateEndpointSecret(
  prisma: PrismaClient,
  { id, customerId, version }: Pick<Endpoint, 'id' | 'customerId' | 'version'>,
  { secretSealed, overlapSeconds }: { secretSealed: string; overlapSeconds: number },
  actor: Actor,
): Promise<Endpoint | null> {
  const audit = auditStatement(
    { ...actor, action: 'endpoint.secret_rotated', detail: { overlap_seconds: overlapSeconds } },
    Prisma.sql`SELECT id, "customerId" AS customer_id FROM rotated`,
  );
  const [rotated] = await prisma.$queryRaw<Endpoint[]>`
    WITH rotated AS (
      UPDATE endpoints SET
        secret_sealed = ${secretSealed},
        previous_secret_sealed = CASE WHEN ${overlapSeconds}::int > 0 THEN secret_sealed END,
        previous_secret_expires_at = now() + nullif(${overlapSeconds}::int, 0) * interval '1 s',
        version = version + 1, updated_at = now()
      WHERE id = ${id}::uuid AND customer_id = ${customerId}::uuid AND version = ${version}::int AND deleted_at IS NULL
      RETURNING id, customer_id AS "customerId", name, url, event_types AS "eventTypes", min_severity AS "minSeverity",
        active, inactive_reason AS "inactiveReason", on_hold AS "onHold",
        max_in_flight AS "maxInFlight", max_per_second AS "maxPerSecond", version, secret_sealed AS "secretSealed",
        previous_secret_sealed AS "previousSecretSealed", previous_secret_expires_at AS "previousSecretExpiresAt",
        header_names AS "headerNames", headers_sealed AS "headersSealed", created_at AS "createdAt",
        updated_at AS "updatedAt", deleted_at AS "deletedAt"
    ),
    audited AS (${audit})
    SELECT * FROM rotated`;
  return rotated ?? null;
}
