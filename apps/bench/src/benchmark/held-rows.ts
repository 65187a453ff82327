import type { Session } from '../stack/database-session.js';
import type { Customer } from './customers.js';

const CHUNK = 25_000;
/** They were accepted within so long, and today: the ids of a day are its partition's. */
const ACCEPTED_WITHIN_MS = 600_000;
const DAY_MS = 86_400_000;

/** Nothing is sent to this endpoint until somebody closes its circuit: the next probe is a day away. */
export async function openCircuit({ query }: Session, { customerId, endpointId }: Customer): Promise<void> {
  await query(
    `INSERT INTO endpoint_flow (endpoint_id, customer_id, circuit_opened_at, circuit_failures, next_probe_at, probe_wait_ms)
    VALUES ($1, $2, now(), 10, now() + interval '1 day', 600000)`,
    [endpointId, customerId],
  );
}

/** Events with a delivery each that is held since now, in the order of their ids. What an event carries is copied from another one. */
export async function addHeldDeliveries(
  { query }: Session,
  { customerId, endpointId }: Customer,
  deliveries: number,
  onProgress: (deliveries: number, all: number) => void,
): Promise<void> {
  const lastAt = Date.now();
  const firstAt = Math.max(lastAt - (lastAt % DAY_MS), lastAt - ACCEPTED_WITHIN_MS);
  await query('SET synchronous_commit = off');
  for (let added = 0; added < deliveries; added += CHUNK) {
    const until = Math.min(added + CHUNK, deliveries);
    const everyMs = (lastAt - firstAt) / deliveries;
    await query(ADD_HELD, [customerId, endpointId, added, until - 1, new Date(firstAt), everyMs]);
    onProgress(until, deliveries);
  }
}

/** Parameters: customer, endpoint, the first and the last number, when the very first was accepted, and the next one how long after it. */
const ADD_HELD = `
  WITH sample AS MATERIALIZED (
    SELECT * FROM drift_events ORDER BY id DESC LIMIT 1
  ), planned AS MATERIALIZED (
    SELECT uuidv7_at(at) AS id, at FROM generate_series($3::int, $4::int) AS n,
      LATERAL (SELECT date_trunc('milliseconds', $5::timestamptz + n * $6::float8 * interval '1 ms') AS at) AS times
  ), added_events AS (
    INSERT INTO drift_events (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
    SELECT planned.id, $1::uuid, event_type, drift_type, severity, request_id, occurred_at, body, at FROM planned, sample
  )
  INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, hold_reason, held_since, created_at)
  SELECT uuidv7_at(at), $1::uuid, planned.id, $2::uuid, event_type, 3, 'circuit_open', now(), at FROM planned, sample`;
