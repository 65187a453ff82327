import { type ClaimAnswer, type ClaimRow, claimAnswer, passedOverAnswer } from './claim-answers.js';
import type { RawQuery } from './direct-query.js';
import { Prisma } from './generated/client.js';
import { idRange } from './id-range.js';
import { type JobRef, lockedRowsOf } from './locked-rows.js';
import { withPartitions } from './partitions.js';
import { existingOf } from './passed-over.js';

/** How early a job may come: BullMQ's clock and Postgres's are not the same. */
export const DUE_TOLERANCE_MS = 100;
export const INTERRUPTED = 'interrupted: its worker never recorded an outcome';
/** A delivery that takes its worker down every time ends here instead of looping. */
const MAX_STARTS = 10;
const LEFT_ALONE = Prisma.sql`'finished', 'superseded', 'wait', 'on_hold', 'circuit_open', 'rate_limited'`;

/**
 * Claims deliveries that are due, or whose lease has run out: takes the next fence, sets a lease on the database's
 * clock and brings the deadline forward to its end (an earlier one is the sweeper's to move). An attempt that a lost worker left open is written as `unknown`. Rows that
 * somebody else has locked, or has changed in the same moment, are skipped, not waited for. Answers once per distinct delivery, in no order.
 */
export async function claimDeliveries(
  database: RawQuery,
  jobs: readonly JobRef[],
  { leaseMs }: { leaseMs: number },
): Promise<ClaimAnswer[]> {
  const ids = jobs.map((job) => job.deliveryId);
  const { lowest, highest } = idRange(ids);
  const claim = () => database.$queryRaw<ClaimRow[]>`
    /* prepared: claim_deliveries */
    WITH held AS (${lockedRowsOf(jobs)}),
    judged AS (
      SELECT held.*, greatest(held.lease_expires_at, held.next_attempt_at, held.granted_until) - now() AS wait,
        endpoint.version, endpoint.url, endpoint.secret_sealed, endpoint.headers_sealed,
        CASE WHEN endpoint.previous_secret_expires_at > now() THEN endpoint.previous_secret_sealed END AS previous_secret_sealed,
        CASE
          WHEN held.status IN ('success', 'failed', 'cancelled') THEN 'finished'
          -- What is held has no job: this one was added twice.
          WHEN held.job_generation < held.generation OR held.hold_reason IS NOT NULL THEN 'superseded'
          WHEN held.lease_expires_at > now() THEN 'wait'
          WHEN held.next_attempt_at > now() + ${DUE_TOLERANCE_MS}::int * interval '1 ms' THEN 'wait'
          WHEN held.granted_until > now() AND NOT held.is_granted THEN 'wait'
          WHEN endpoint.deleted_at IS NOT NULL THEN 'endpoint_deleted'
          WHEN NOT endpoint.active THEN 'endpoint_inactive'
          WHEN endpoint.on_hold THEN 'on_hold'
          WHEN flow.circuit_opened_at IS NOT NULL AND (held.granted_until > now()) IS NOT TRUE THEN 'circuit_open'
          WHEN (endpoint.max_in_flight IS NOT NULL OR endpoint.max_per_second IS NOT NULL)
            AND (held.granted_until > now()) IS NOT TRUE THEN 'rate_limited'
          WHEN held.starts >= ${MAX_STARTS}::int THEN 'indeterminate'
          ELSE 'claimed'
        END AS verdict,
        flow.circuit_opened_at IS NOT NULL AS is_probe, flow.crowded_at IS NOT NULL AS is_crowded
      FROM held JOIN endpoints endpoint ON endpoint.id = held.endpoint_id
      LEFT JOIN endpoint_flow flow ON flow.endpoint_id = held.endpoint_id
    ),
    interrupted AS (
      INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome, error)
      SELECT id, fence, customer_id, round, last_attempt_at, 'unknown', ${INTERRUPTED}::text
      FROM judged WHERE lease_expires_at IS NOT NULL AND verdict NOT IN (${LEFT_ALONE})
      ON CONFLICT DO NOTHING
    ),
    ended AS (
      UPDATE deliveries delivery SET
        status = (CASE judged.verdict WHEN 'indeterminate' THEN 'failed' ELSE 'cancelled' END)::delivery_status,
        failure_reason = judged.verdict::failure_reason,
        response_code = CASE WHEN judged.lease_expires_at IS NULL THEN judged.response_code END,
        last_error = CASE WHEN judged.lease_expires_at IS NULL THEN judged.last_error ELSE ${INTERRUPTED}::text END,
        completed_at = now(), lease_expires_at = NULL, recover_at = NULL, next_attempt_at = NULL, hold_reason = NULL, held_since = NULL
      FROM judged
      WHERE delivery.id = judged.id AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
        -- Beside the join: a plan that was made for small tables may read the whole range, and join afterwards.
        AND delivery.id = ANY (ARRAY(
          SELECT id FROM judged WHERE verdict IN ('endpoint_deleted', 'endpoint_inactive', 'indeterminate')
        ))
      RETURNING delivery.id
    ),
    claimed AS (
      UPDATE deliveries delivery SET
        -- What stays as it is, too: a row that was retried by hand since the statement began is still finished in "delivery".
        status = judged.status, failure_reason = judged.failure_reason, completed_at = judged.completed_at,
        next_attempt_at = judged.next_attempt_at, hold_reason = judged.hold_reason,
        fence = judged.fence + (judged.starts > 0)::int,
        starts = judged.starts + 1,
        last_attempt_at = now(),
        lease_expires_at = now() + ${leaseMs}::int * interval '1 ms',
        -- Left alone where it comes before the lease's end, so that the row stays where it is in every index.
        recover_at = least(judged.recover_at, now() + ${leaseMs}::int * interval '1 ms'),
        claimed_generation = judged.job_generation, granted_until = NULL
      FROM judged
      WHERE delivery.id = judged.id AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
        AND delivery.id = ANY (ARRAY(SELECT id FROM judged WHERE verdict = 'claimed'))
      RETURNING delivery.id
    )
    SELECT judged.id AS delivery_id,
      -- Only what came back was written (adr/0011).
      CASE
        WHEN judged.verdict IN (${LEFT_ALONE}) OR judged.id = ANY (ARRAY(SELECT id FROM claimed))
          OR judged.id = ANY (ARRAY(SELECT id FROM ended)) THEN judged.verdict
        ELSE 'passed_over'
      END AS verdict,
      ceil(extract(epoch FROM judged.wait) * 1000)::int AS wait_ms,
      judged.customer_id, judged.event_id, judged.event_type, event.body,
      -- As in the update: nobody else can have changed a row that is locked.
      judged.fence + (judged.starts > 0)::int AS fence, judged.round, judged.failed_count, judged.max_attempts,
      judged.is_probe, judged.is_crowded, judged.endpoint_id, judged.version, judged.url, judged.secret_sealed, judged.previous_secret_sealed, judged.headers_sealed,
      (extract(epoch FROM now()) * 1000)::float8 AS claimed_at_ms
    FROM judged LEFT JOIN LATERAL (
      SELECT body FROM drift_events WHERE drift_events.id = judged.event_id AND judged.verdict = 'claimed'
        AND drift_events.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
      OFFSET 0
    ) AS event ON true`;
  const rows = await withPartitions(database, ids, claim);
  const answered = new Set(rows.map(({ delivery_id }) => delivery_id));
  const passedOver = new Set(jobs.map(({ deliveryId }) => deliveryId).filter((id) => !answered.has(id)));
  const existing = await existingOf(database, [...passedOver]);
  return [...rows.map(claimAnswer), ...[...passedOver].map((id) => passedOverAnswer(id, existing.has(id)))];
}
