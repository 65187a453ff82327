import type { Session } from '../stack/database-session.js';

/** Whose past it is: ids of a customer, its endpoints, and one more endpoint of it that gets next to nothing. */
export type PastOwner = { customerId: string; endpointIds: string[]; quietEndpointId: string };

export const USUAL_TYPE = 'drift.detected';
/** One event in fifty thousand, and never fewer than one. */
export const RARE_TYPE = 'drift.rare';
export const USUAL_DRIFT = 'DENIAL_RATE';
export const RARE_DRIFT = 'APPEAL_RATE';

const PAST_DAYS = 29;
/** Today's tables are the ones that new rows go to, and should be as deep as the rest together. */
const SHARE_OF_TODAY = 0.5;
const CHUNK_EVENTS = 25_000;

/**
 * Adds events that were delivered on the days before and today, so that there are as many deliveries as told: nearly all at the
 * first attempt, one in a thousand failed, one in a hundred thousand cancelled. What a row carries is copied from deliveries
 * that Driftwire made, of which there must be one.
 */
export async function addPastDeliveries(
  { query }: Session,
  { customerId, endpointIds, quietEndpointId }: PastOwner,
  deliveries: number,
  onProgress: (deliveries: number, all: number) => void,
): Promise<void> {
  await query('SELECT make_partitions((now() AT TIME ZONE $1)::date - day) FROM generate_series(0, $2::int) AS day', [
    'UTC',
    PAST_DAYS,
  ]);
  await query('SET synchronous_commit = off');
  const events = Math.round(deliveries / endpointIds.length);
  let added = 0;
  for (const { daysAgo, count } of spread(events)) {
    const values = [customerId, endpointIds, quietEndpointId, daysAgo, count, added];
    await query(ADD_EVENTS, values);
    added += count;
    onProgress(added * endpointIds.length, deliveries);
  }
}

/** What autovacuum would have done by the time that so much is there. */
export async function tidyTables({ query }: Session): Promise<void> {
  const tables = await query<{ name: string }>(`SELECT relid::regclass::text AS name FROM pg_stat_user_tables`);
  for (const { name } of tables) await query(`VACUUM (ANALYZE) ${name}`);
  await query('CHECKPOINT');
}

/** Oldest first, as they would have come. */
export function spread(events: number): { daysAgo: number; count: number }[] {
  const today = Math.round(events * SHARE_OF_TODAY);
  const chunks: { daysAgo: number; count: number }[] = [];
  for (let daysAgo = PAST_DAYS; daysAgo >= 0; daysAgo -= 1) {
    const before = Math.floor(((events - today) * (PAST_DAYS - daysAgo)) / PAST_DAYS);
    const after = Math.floor(((events - today) * (PAST_DAYS - daysAgo + 1)) / PAST_DAYS);
    let left = daysAgo === 0 ? today : after - before;
    while (left > 0) {
      const count = Math.min(left, CHUNK_EVENTS);
      chunks.push({ daysAgo, count });
      left -= count;
    }
  }
  return chunks;
}

/** Parameters: customer, endpoints, the quiet endpoint, days ago, how many events, how many there are before. */
const ADD_EVENTS = `
  WITH day AS MATERIALIZED (
    SELECT midnight AS starts, least(midnight + interval '1 day', now()) - midnight AS lasts
    FROM (SELECT date_trunc('day', now(), 'UTC') - make_interval(days => $4::int) AS midnight) AS days
  ), sample AS MATERIALIZED (
    SELECT events.body, attempts.* FROM attempts JOIN deliveries ON deliveries.id = attempts.delivery_id
    JOIN drift_events AS events ON events.id = deliveries.event_id
    WHERE attempts.outcome = 'response' AND attempts.phases IS NOT NULL ORDER BY attempts.delivery_id DESC LIMIT 1
  ), planned AS MATERIALIZED (
    SELECT n, uuidv7_at(at) AS id, at, n % 50000 = 7 AS is_rare
    FROM day, generate_series($6::int, $6::int + $5::int - 1) AS n,
      LATERAL (SELECT date_trunc('milliseconds', starts + lasts * ((n - $6::int)::float8 / $5::int)) AS at) AS times
  ), added_events AS (
    INSERT INTO drift_events (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
    SELECT id, $1::uuid, CASE WHEN is_rare THEN '${RARE_TYPE}' ELSE '${USUAL_TYPE}' END,
      CASE WHEN is_rare THEN '${RARE_DRIFT}' ELSE '${USUAL_DRIFT}' END, 0.8,
      overlay(overlay(md5((n / 50)::text) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid, at::text,
      CASE WHEN is_rare THEN replace(body, '"${USUAL_TYPE}"', '"${RARE_TYPE}"') ELSE body END, at
    FROM planned, sample
  ), added_deliveries AS (
    INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, status, failure_reason, max_attempts,
      failed_count, starts, fence, claimed_generation, last_attempt_at, response_code, created_at, completed_at)
    SELECT uuidv7_at(at), $1::uuid, id, endpoint_id, CASE WHEN is_rare THEN '${RARE_TYPE}' ELSE '${USUAL_TYPE}' END,
      status::delivery_status,
      (CASE status WHEN 'failed' THEN 'exhausted' WHEN 'cancelled' THEN 'endpoint_inactive' END)::failure_reason,
      3, CASE WHEN status = 'failed' THEN 3 ELSE 0 END, 1, 2, 1, at, CASE WHEN status = 'success' THEN 200 END, at, at
    FROM planned,
      LATERAL unnest(CASE WHEN is_rare THEN $2::uuid[] || $3::uuid ELSE $2::uuid[] END) AS endpoint_id,
      LATERAL (SELECT CASE WHEN n % 100000 = 11 THEN 'cancelled' WHEN n % 1000 = 13 THEN 'failed' ELSE 'success' END AS status)
    RETURNING id, created_at
  )
  INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, duration_ms, phases, request_headers, outcome,
    response_code, response_headers, response_body)
  SELECT deliveries.id, 1, $1::uuid, 1, deliveries.created_at, duration_ms, phases, request_headers, outcome, response_code,
    response_headers, response_body
  FROM added_deliveries AS deliveries, sample`;
