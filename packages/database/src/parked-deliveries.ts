import { auditStatement, DRIFTWIRE } from './audit-log.js';
import type { Claim } from './claim-answers.js';
import { Prisma, type PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';

/** What a worker's ring opens: the ids of its keys. */
export type Ring = readonly string[];

/** Of the job that lets a delivery go on. */
export type LetGo = { deliveryId: string; generation: number; endpointId: string; maxAttempts: number };

/**
 * Remembers that a claim was given back because this ring did not open its endpoint's secret. After the release, or it could
 * be let go while its lease still runs. A secret that is damaged although the ring has its key is told apart: no ring opens it.
 */
export async function noteParked(
  prisma: PrismaClient,
  { deliveryId, customerId, endpoint }: Pick<Claim, 'deliveryId' | 'customerId' | 'endpoint'>,
  ring: Ring,
): Promise<void> {
  await prisma.$executeRaw`
    INSERT INTO parked_deliveries (delivery_id, customer_id, endpoint_id, endpoint_version, is_damaged)
    SELECT ${deliveryId}::uuid, customer_id, id, ${endpoint.version}::int, ${hasKeysOf(ring)}
    FROM endpoints WHERE id = ${endpoint.id}::uuid AND customer_id = ${customerId}::uuid
    ON CONFLICT (delivery_id) DO UPDATE SET
      endpoint_version = excluded.endpoint_version, is_damaged = excluded.is_damaged`;
}

/**
 * Lets go the parked deliveries that this ring can go on with: it has the keys, the damaged secret was replaced, or the endpoint
 * takes deliveries no more and the claim will say so. Due at once, under the next generation, because the job that waits out
 * the rest of the parking has this one; a claim of the old one is refused. If their jobs do not get to Redis, the sweeper
 * finds them. Several workers share the work.
 */
export async function letGoParked(
  prisma: PrismaClient,
  { ring, limit }: { ring: Ring; limit: number },
): Promise<LetGo[]> {
  if (!(await isAnyParked(prisma))) return [];
  return prisma.$queryRaw<LetGo[]>`
    WITH open AS (
      SELECT delivery_id FROM parked_deliveries JOIN endpoints ON endpoints.id = endpoint_id
      WHERE NOT active OR deleted_at IS NOT NULL
        OR CASE WHEN is_damaged THEN version <> endpoint_version ELSE ${hasKeysOf(ring)} END
      ORDER BY delivery_id LIMIT ${limit}::int
      FOR UPDATE OF parked_deliveries SKIP LOCKED
    ),
    forgotten AS (
      DELETE FROM parked_deliveries USING open WHERE parked_deliveries.delivery_id = open.delivery_id
    )
    UPDATE deliveries delivery SET
      generation = delivery.generation + 1, job_id = NULL, next_attempt_at = now(),
      recover_at = now() + ${JOB_GRACE_MS}::int * interval '1 ms'
    FROM open WHERE delivery.id = open.delivery_id AND ${isWaiting}
    RETURNING delivery.id AS "deliveryId", delivery.generation, delivery.endpoint_id AS "endpointId",
      delivery.max_attempts AS "maxAttempts"`;
}

/** Almost always none is, and then a look is all it costs. */
async function isAnyParked(prisma: PrismaClient): Promise<boolean> {
  const [first] = await prisma.$queryRaw<{ one: number }[]>`
    /* prepared: is_any_parked */
    SELECT 1 AS one FROM parked_deliveries LIMIT 1`;
  return first !== undefined;
}

/**
 * Ends the deliveries of a day past its retention that are parked and that this ring does not open: the day could never be dropped, and
 * nobody has mended them for as long. Answers their ids. The audit log keeps them when the day is gone.
 */
export async function endParked(
  prisma: PrismaClient,
  { day, ring, limit }: { day: string; ring: Ring; limit: number },
): Promise<string[]> {
  const audit = auditStatement(
    { ...DRIFTWIRE, action: 'delivery.given_up', detail: { reason: NEVER_OPENED } },
    Prisma.sql`SELECT id, customer_id FROM ended`,
  );
  const ended = await prisma.$queryRaw<{ id: string }[]>`
    WITH parked AS (
      SELECT delivery_id FROM parked_deliveries JOIN endpoints ON endpoints.id = endpoint_id
      WHERE delivery_id >= uuidv7_floor(${day}::date::timestamp AT TIME ZONE 'UTC')
        AND delivery_id < uuidv7_floor((${day}::date + 1)::timestamp AT TIME ZONE 'UTC')
        AND (is_damaged OR NOT ${hasKeysOf(ring)})
      ORDER BY delivery_id LIMIT ${limit}::int
      FOR UPDATE OF parked_deliveries SKIP LOCKED
    ),
    forgotten AS (
      DELETE FROM parked_deliveries USING parked WHERE parked_deliveries.delivery_id = parked.delivery_id
    ),
    ended AS (
      UPDATE deliveries delivery SET
        status = 'failed', failure_reason = 'indeterminate', last_error = ${NEVER_OPENED}, completed_at = now(),
        next_attempt_at = NULL, recover_at = NULL
      FROM parked WHERE delivery.id = parked.delivery_id AND ${isWaiting}
      RETURNING delivery.id, delivery.customer_id
    ),
    audited AS (${audit})
    SELECT id FROM ended`;
  return ended.map(({ id }) => id);
}

const NEVER_OPENED = "the endpoint's secret could not be opened for as long as the day was kept";

/** Not at its end, and not taken by anybody. */
const isWaiting = Prisma.sql`delivery.recover_at IS NOT NULL AND delivery.lease_expires_at IS NULL`;

/** Whether the ring has the key of every value of the endpoint that an attempt needs. A sealed text begins with its key's id. */
function hasKeysOf(ring: Ring): Prisma.Sql {
  return Prisma.sql`NOT EXISTS (
    SELECT FROM unnest(ARRAY[
      secret_sealed, headers_sealed, CASE WHEN previous_secret_expires_at > now() THEN previous_secret_sealed END
    ]) AS sealed WHERE split_part(sealed, ':', 1) <> ALL (${[...ring]}::text[]))`;
}
