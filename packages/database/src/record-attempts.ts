import type { FailureReason, OutcomeKind } from '@driftwire/delivery';
import type { PrismaClient } from './generated/client.js';
import { idRange } from './id-range.js';
import { JOB_GRACE_MS } from './job-grace.js';
import { withPartitions } from './partitions.js';
import { existingOf } from './passed-over.js';

/** An attempt that has come to an end, and what it means for its delivery. */
export type AttemptRecord = {
  deliveryId: string;
  /** The fence of the claim. */
  number: number;
  round: number;
  startedAt: Date;
  durationMs: number;
  phases: Record<string, number>;
  requestHeaders: Record<string, string>;
  outcome: OutcomeKind;
  response: { status: number; headers: Record<string, string | string[]>; body: string } | null;
  error: string | null;
  transition: { to: 'success' } | { to: 'retrying'; delayMs: number } | { to: 'failed'; reason: FailureReason };
};

/**
 * `moved` is false when the delivery had already gone on without this attempt. A repeated record gets the same answer.
 * `generation` is that of the job which the delivery waits for now: another than that of its claim when it has left a bundle.
 * `locked`: somebody else had the row locked at this moment, or changed it, and the delivery was not moved; ask again.
 */
export type RecordAnswer = { deliveryId: string; number: number; moved: boolean; generation: number; locked: boolean };

/** An attempt that is still in flight when the late success of an earlier one ends its delivery: nobody would claim again. */
const OVERTAKEN = 'in flight when an earlier attempt turned out to have succeeded';
const RECORDED_LATE = 'recorded late: its lease had run out';

/**
 * Writes attempts and moves their deliveries, in one idempotent statement. A record whose fence no longer matches
 * changes nothing, with one exception: success is monotone. A late 2xx, of an attempt already written off as `unknown`,
 * turns any other status into `success`; the attempt stays `unknown`, with the response filled in, because a
 * second request may have been sent in its place. If one is in flight, it is put on record here, for its worker may be lost.
 * Rows that somebody else has locked are skipped, not waited for. Of one delivery there may be one record at most.
 *
 * `fenced: false` believes every record, however late. It exists to show that `npm run chaos` notices.
 */
export async function recordAttempts(
  prisma: PrismaClient,
  records: readonly AttemptRecord[],
  { fenced = true }: { fenced?: boolean } = {},
): Promise<RecordAnswer[]> {
  const ids = records.map((record) => record.deliveryId);
  const { lowest, highest } = idRange(ids);
  const record = () => prisma.$queryRaw<RecordedRow[]>`
    /* prepared: record_attempts */
    WITH held AS (
      SELECT ended.*, ended.delay_ms * interval '1 ms' AS delay, delivery.*
      FROM jsonb_to_recordset(${JSON.stringify(records.map(toRow))}::jsonb) AS ended(
        delivery_id uuid, number int, round int, started_at timestamptz, duration_ms float8, phases jsonb,
        request_headers jsonb, outcome outcome_kind, response_code int, response_headers jsonb, response_body text,
        error text, to_status delivery_status, delay_ms float8, to_reason failure_reason
      ), LATERAL (
        SELECT customer_id, fence, deliveries.round AS current_round, failed_count, last_attempt_at, lease_expires_at, status,
          failure_reason, generation, job_id, held_since
        FROM deliveries
        WHERE deliveries.id = ended.delivery_id AND deliveries.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
        FOR UPDATE SKIP LOCKED
      ) AS delivery
    ),
    written AS (
      INSERT INTO attempts AS attempt (delivery_id, number, customer_id, round, started_at, duration_ms, phases,
        request_headers, outcome, response_code, response_headers, response_body, error)
      SELECT delivery_id, number, customer_id, round, started_at, duration_ms, phases,
        request_headers, outcome, response_code, response_headers, response_body, error
      FROM held
      ON CONFLICT (delivery_id, number) DO UPDATE SET
        duration_ms = excluded.duration_ms, phases = excluded.phases, request_headers = excluded.request_headers,
        response_code = excluded.response_code, response_headers = excluded.response_headers,
        response_body = excluded.response_body,
        outcome = CASE attempt.error WHEN ${OVERTAKEN}::text THEN excluded.outcome ELSE attempt.outcome END,
        error = CASE attempt.error WHEN ${OVERTAKEN}::text THEN excluded.error ELSE ${RECORDED_LATE}::text END
      WHERE attempt.outcome = 'unknown' AND (attempt.response_code IS NULL OR attempt.error = ${RECORDED_LATE}::text)
        AND (excluded.response_code BETWEEN 200 AND 299 OR attempt.error = ${OVERTAKEN}::text OR NOT ${fenced}::bool)
      RETURNING delivery_id
    ),
    overtaken AS (
      INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome, error)
      SELECT delivery_id, fence, customer_id, current_round, last_attempt_at, 'unknown', ${OVERTAKEN}::text
      FROM held
      WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM written))
        AND to_status = 'success' AND lease_expires_at IS NOT NULL AND fence <> number
      ON CONFLICT DO NOTHING
    ),
    moved AS (
      UPDATE deliveries delivery SET
        status = ended.to_status,
        failure_reason = ended.to_reason,
        failed_count = ended.failed_count + (ended.to_status <> 'success')::int,
        response_code = ended.response_code,
        last_error = ended.error,
        lease_expires_at = NULL,
        -- A late success may come to what is held.
        hold_reason = NULL,
        held_since = CASE WHEN ended.to_status = 'retrying' THEN ended.held_since END,
        -- A retry leaves its bundle: it is due at a time of its own.
        generation = ended.generation + (ended.to_status = 'retrying' AND ended.job_id IS NOT NULL)::int,
        job_id = CASE WHEN ended.to_status <> 'retrying' THEN ended.job_id END,
        next_attempt_at = now() + ended.delay,
        recover_at = now() + ended.delay + ${JOB_GRACE_MS}::int * interval '1 ms',
        completed_at = CASE WHEN ended.to_status <> 'retrying' THEN now() END
      FROM held ended
      WHERE delivery.id = ended.delivery_id AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
        AND delivery.id = ANY (ARRAY(SELECT delivery_id FROM held))
        AND (
          -- Also when an earlier try has written the attempt and could not move the delivery.
          (ended.fence = ended.number AND ended.lease_expires_at IS NOT NULL)
          OR ((ended.to_status = 'success' AND ended.status <> 'success' OR NOT ${fenced}::bool)
            AND ended.delivery_id = ANY (ARRAY(SELECT delivery_id FROM written))))
      RETURNING delivery.id, delivery.generation
    )
    SELECT delivery_id, number, coalesce(moved.generation, held.generation) AS generation, moved.id IS NOT NULL OR (
        -- The answer to an earlier record may have been lost on its way: then the delivery is where that one put it.
        fence = number AND lease_expires_at IS NULL AND status = to_status
          AND failure_reason IS NOT DISTINCT FROM to_reason) AS moved,
      -- What should have been moved and did not come back was not written (adr/0011).
      moved.id IS NULL AND (fence = number AND lease_expires_at IS NOT NULL OR to_status = 'success' AND status <> 'success'
        AND delivery_id = ANY (ARRAY(SELECT delivery_id FROM written))) AS locked
    FROM held LEFT JOIN moved ON moved.id = held.delivery_id`;
  const rows = await withPartitions(prisma, ids, record);
  const answered = new Set(rows.map(({ delivery_id }) => delivery_id));
  const passedOver = records.filter(({ deliveryId }) => !answered.has(deliveryId));
  const existing = await existingOf(
    prisma,
    passedOver.map(({ deliveryId }) => deliveryId),
  );
  return [
    ...rows.map(({ delivery_id: deliveryId, ...answer }) => ({ deliveryId, ...answer })),
    ...passedOver.map(({ deliveryId, number }) => ({
      deliveryId,
      number,
      moved: false,
      generation: 0,
      locked: existing.has(deliveryId),
    })),
  ];
}

type RecordedRow = { delivery_id: string; number: number; moved: boolean; generation: number; locked: boolean };

/** A record in the statement's words. What there is nothing of is left out, and its column is null. */
function toRow(record: AttemptRecord) {
  const { response, transition } = record;
  return {
    delivery_id: record.deliveryId,
    number: record.number,
    round: record.round,
    started_at: record.startedAt,
    duration_ms: record.durationMs,
    phases: record.phases,
    request_headers: record.requestHeaders,
    outcome: record.outcome,
    response_code: response?.status,
    response_headers: response?.headers,
    response_body: response?.body,
    error: record.error ?? undefined,
    to_status: transition.to,
    delay_ms: transition.to === 'retrying' ? transition.delayMs : undefined,
    to_reason: transition.to === 'failed' ? transition.reason : undefined,
  };
}
