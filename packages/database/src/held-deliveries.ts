import { bundleId, inBundles } from './bundles.js';
import { type HeldBack, LOCKED_WAIT_MS } from './claim-answers.js';
import { DUE_TOLERANCE_MS, INTERRUPTED } from './claim-deliveries.js';
import type { RawQuery } from './direct-query.js';
import { Prisma, type PrismaClient } from './generated/client.js';
import { idRange } from './id-range.js';
import { JOB_GRACE_MS } from './job-grace.js';
import { letGo } from './let-go.js';
import { type JobRef, lockedRowsOf } from './locked-rows.js';
import { withPartitions } from './partitions.js';
import { existingOf } from './passed-over.js';

/**
 * `held`: it waits in Postgres now, and its job has nothing left to do. `wait`: not now, ask again after `waitMs`. `finished`, `superseded`,
 * `missing`: nothing to do for this job, as in a claim's answer.
 */
export type HoldAnswer = { deliveryId: string } & (
  | { verdict: 'held' }
  | { verdict: 'wait'; waitMs: number }
  | { verdict: 'finished' | 'superseded' | 'missing' }
);

/** A delivery to hold, and why. */
export type HoldRequest = JobRef & { reason: 'crowded' | HeldBack };

/** `maxAttempts`, `generation` and `jobId` are those of the job that the delivery waits for now. */
export type Released = {
  deliveryId: string;
  endpointId: string;
  generation: number;
  jobId: string | null;
  maxAttempts: number;
};

/**
 * Holds deliveries that are due and that nobody is sending. What is accepted from now on for an endpoint that is crowded is held from
 * the start, until the last one is released. An attempt that a lost worker left open is written as `unknown`. Rows that somebody else has locked, or has changed in the same
 * moment, are skipped, not waited for. Answers once per distinct delivery, in no order.
 */
export async function holdDeliveries(database: RawQuery, jobs: readonly HoldRequest[]): Promise<HoldAnswer[]> {
  const ids = jobs.map(({ deliveryId }) => deliveryId);
  const reasons = new Map(jobs.map(({ deliveryId, reason }) => [deliveryId, reason]));
  const { lowest, highest } = idRange(ids);
  const hold = () => database.$queryRaw<HoldRow[]>`
    /* prepared: hold_deliveries */
    WITH locked AS (${lockedRowsOf(jobs)}),
    judged AS (
      SELECT locked.*, lease_expires_at IS NOT NULL AS is_interrupted,
        given.reason,
        ceil(extract(epoch FROM greatest(lease_expires_at, next_attempt_at) - now()) * 1000)::int AS wait_ms,
        CASE
          WHEN status IN ('success', 'failed', 'cancelled') THEN 'finished'
          WHEN job_generation < generation OR hold_reason IS NOT NULL THEN 'superseded'
          WHEN lease_expires_at > now() THEN 'wait'
          WHEN next_attempt_at > now() + ${DUE_TOLERANCE_MS}::int * interval '1 ms' THEN 'wait'
          ELSE 'held'
        END AS verdict
      FROM locked JOIN unnest(${[...reasons.keys()]}::uuid[], ${[...reasons.values()]}::hold_reason[]) AS given(delivery_id, reason)
        ON given.delivery_id = locked.id
    ),
    interrupted AS (
      INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome, error)
      SELECT id, fence, customer_id, round, last_attempt_at, 'unknown', ${INTERRUPTED}::text
      FROM judged WHERE verdict = 'held' AND is_interrupted
      ON CONFLICT DO NOTHING
    ),
    held AS (
      UPDATE deliveries delivery SET
        hold_reason = judged.reason, held_since = coalesce(judged.held_since, now()),
        next_attempt_at = NULL, recover_at = NULL, lease_expires_at = NULL, job_id = NULL, granted_until = NULL,
        response_code = CASE WHEN NOT is_interrupted THEN judged.response_code END,
        last_error = CASE WHEN is_interrupted THEN ${INTERRUPTED}::text ELSE judged.last_error END
      FROM judged
      WHERE delivery.id = judged.id AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
        AND delivery.id = ANY (ARRAY(SELECT id FROM judged WHERE verdict = 'held'))
      RETURNING delivery.id
    ),
    crowded AS (
      INSERT INTO endpoint_flow (endpoint_id, customer_id, crowded_at)
      SELECT DISTINCT endpoint_id, customer_id, now() FROM judged
      WHERE verdict = 'held' AND reason IN ('crowded', 'rate_limited') AND NOT EXISTS (
        SELECT FROM endpoint_flow WHERE endpoint_flow.endpoint_id = judged.endpoint_id AND crowded_at IS NOT NULL
      )
      ORDER BY endpoint_id
      ON CONFLICT (endpoint_id) DO UPDATE SET crowded_at = excluded.crowded_at WHERE endpoint_flow.crowded_at IS NULL
    )
    SELECT id AS delivery_id, wait_ms,
      -- Only what came back was written (adr/0011).
      CASE WHEN verdict <> 'held' OR id = ANY (ARRAY(SELECT id FROM held)) THEN verdict ELSE 'passed_over' END AS verdict
    FROM judged`;
  const rows = await withPartitions(database, ids, hold);
  const answered = new Set(rows.map(({ delivery_id }) => delivery_id));
  const passedOver = [...new Set(ids)].filter((id) => !answered.has(id));
  const existing = await existingOf(database, passedOver);
  return [...rows.map(holdAnswer), ...passedOver.map((id) => (existing.has(id) ? lockedNow(id) : missing(id)))];
}

type HoldRow = {
  delivery_id: string;
  verdict: 'held' | 'wait' | 'passed_over' | 'finished' | 'superseded';
  wait_ms: number;
};

function holdAnswer({ delivery_id: deliveryId, verdict, wait_ms }: HoldRow): HoldAnswer {
  if (verdict === 'passed_over') return lockedNow(deliveryId);
  return verdict === 'wait' ? { deliveryId, verdict, waitMs: Math.max(wait_ms, 1) } : { deliveryId, verdict };
}

function lockedNow(deliveryId: string): HoldAnswer {
  return { deliveryId, verdict: 'wait', waitMs: LOCKED_WAIT_MS };
}

function missing(deliveryId: string): HoldAnswer {
  return { deliveryId, verdict: 'missing' };
}

/**
 * Lets held deliveries go, of each endpoint so many, the oldest first, due at once. If their new jobs do not get to Redis, the sweeper finds them. Several workers share the work. Fewer
 * than were asked for: no more are held, others are releasing the rest, or the endpoint is on hold, has limits (`grantHeld`) or an open circuit.
 */
export async function releaseHeld(
  prisma: PrismaClient,
  wanted: ReadonlyMap<string, number>,
  { deliveriesPerJob, isForced = false }: { deliveriesPerJob: number; isForced?: boolean },
): Promise<Released[]> {
  return prisma.$queryRaw<Released[]>`
    /* prepared: release_held */
    WITH oldest AS (
      SELECT held.* FROM unnest(${[...wanted.keys()]}::uuid[], ${[...wanted.values()]}::int[]) AS wanted(endpoint_id, count),
        endpoints endpoint, LATERAL (
          SELECT id, generation, hold_reason, held_since FROM deliveries
          WHERE deliveries.endpoint_id = wanted.endpoint_id AND deliveries.hold_reason IS NOT NULL
          ORDER BY id LIMIT wanted.count
          FOR UPDATE SKIP LOCKED
        ) AS held
      WHERE endpoint.id = wanted.endpoint_id AND NOT endpoint.on_hold AND (${isForced}::boolean OR (
        max_in_flight IS NULL AND max_per_second IS NULL
        AND NOT EXISTS (SELECT FROM endpoint_flow flow WHERE flow.endpoint_id = endpoint.id AND circuit_opened_at IS NOT NULL)))
    ),
    placed AS (SELECT *, ${inBundles(Prisma.sql`id`)} FROM oldest)
    UPDATE deliveries delivery SET
      ${letGo('placed')}, job_id = ${bundleId(deliveriesPerJob)},
      next_attempt_at = now(), recover_at = now() + ${JOB_GRACE_MS}::int * interval '1 ms'
    FROM placed WHERE delivery.id = placed.id AND delivery.id = ANY (ARRAY(SELECT id FROM oldest))
    RETURNING delivery.id AS "deliveryId", delivery.endpoint_id AS "endpointId", delivery.generation,
      delivery.job_id AS "jobId", delivery.max_attempts AS "maxAttempts"`;
}

/**
 * What is accepted for these endpoints has a job again, unless deliveries of them are held. Answers the ids of those that have none
 * held, also when another worker has ended their crowding before.
 */
export async function endCrowding(prisma: PrismaClient, endpointIds: readonly string[]): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    WITH free AS (
      SELECT crowded.id FROM unnest(${[...endpointIds].sort()}::uuid[]) AS crowded(id)
      WHERE NOT EXISTS (SELECT FROM deliveries WHERE deliveries.endpoint_id = crowded.id AND hold_reason IS NOT NULL)
    ),
    ended AS (
      UPDATE endpoint_flow SET crowded_at = NULL
      WHERE endpoint_id = ANY (ARRAY(SELECT id FROM free ORDER BY id)) AND crowded_at IS NOT NULL
    )
    SELECT id FROM free`;
  return rows.map(({ id }) => id);
}

/** How many ended, and why. */
export type EndedHeld = { reason: 'endpoint_inactive' | 'endpoint_deleted' | 'expired'; count: number };

/**
 * Ends held deliveries whose endpoint takes none any more, as their claims would, and those that have been held for longer than `maxHours`
 * since the first hold of their round: not what a person has put on hold. The oldest first, `limit` at most; so many mean that there may be more.
 */
export async function endHeld(
  prisma: PrismaClient,
  endpointId: string,
  { maxHours, limit }: { maxHours: number; limit: number },
): Promise<EndedHeld[]> {
  return prisma.$queryRaw<EndedHeld[]>`
    WITH oldest AS (
      SELECT delivery.id, CASE
        WHEN endpoint.deleted_at IS NOT NULL THEN 'endpoint_deleted'
        WHEN NOT endpoint.active THEN 'endpoint_inactive'
        ELSE 'expired' END AS reason
      FROM deliveries delivery JOIN endpoints endpoint ON endpoint.id = delivery.endpoint_id
      WHERE delivery.endpoint_id = ${endpointId}::uuid AND delivery.hold_reason IS NOT NULL
        AND (
          NOT endpoint.active OR endpoint.deleted_at IS NOT NULL
          OR (NOT endpoint.on_hold AND hold_reason <> 'on_hold' AND held_since < now() - ${maxHours}::int * interval '1 hour'
            AND delivery.id < uuidv7_floor(now() - ${maxHours}::int * interval '1 hour')))
      ORDER BY delivery.id LIMIT ${limit}::int
      FOR UPDATE OF delivery SKIP LOCKED
    ),
    ended AS (
      UPDATE deliveries delivery SET
        status = (CASE reason WHEN 'expired' THEN 'failed' ELSE 'cancelled' END)::delivery_status,
        failure_reason = reason::failure_reason, completed_at = now(), hold_reason = NULL, held_since = NULL
      FROM oldest WHERE delivery.id = oldest.id
      RETURNING reason
    )
    SELECT reason, count(*)::int AS count FROM ended GROUP BY reason`;
}
