import { type Acceptance, acceptancesOf, type InsertedRow } from './acceptance.js';
import { bundleId, inBundles } from './bundles.js';
import type { RawQuery } from './direct-query.js';
import { Prisma } from './generated/client.js';
import { jobGraceMs } from './job-grace.js';
import { withPartitions } from './partitions.js';
import { isUniqueViolation } from './postgres-error.js';
import { rowsJson } from './rows-json.js';
import { findStoredEvents, type StoredEvents } from './stored-events.js';

/** One drift event to store. `patterns` are the subscriptions its type matches (`subscriptionPatterns`). */
export type EventToAccept = {
  id: string;
  customerId: string;
  eventType: string;
  patterns: string[];
  driftType: string;
  severity: number;
  requestId: string;
  occurredAt: string;
  createdAt: Date;
  body: string;
  /** `bodyHash` is hex. */
  idempotency: { key: string; bodyHash: string } | null;
};

/**
 * `deliveriesPerJob`: what a statement stores is shared out to jobs of at most so many deliveries, equally; 1, the default, gives each a
 * job of its own. `backlogMs`: for how long the oldest delivery that is due has been waiting (`oldestDueMs`). `withinMs`: an event whose `createdAt` is
 * further from the moment at which its statement begins is not stored, as if Postgres were away; without it, any is.
 */
export type AcceptLimits = { maxAttempts: number; deliveriesPerJob?: number; backlogMs?: number; withinMs?: number };

const MAX_ROUNDS = 10;

type Requests = readonly (readonly EventToAccept[])[];

/**
 * Stores the events of several requests with their deliveries in one statement. Of a request everything or nothing: one
 * conflicting key rejects it, and no other. Keys must be unique within the input (the caller folds twins).
 *
 * One statement cannot see a twin that commits while it runs: the unique key stops it then, Postgres takes everything
 * back, and the next round sees the twin's key and replays it. docs/adr/0002-idempotency-by-unique-key.md.
 *
 * Events may come again whose answer was lost, also while their first statement is still running. The primary key stops
 * the second, and the next round finds what the first has stored: it is created, not replayed. docs/adr/0007-riding-out-an-outage.md.
 */
export async function acceptEvents(
  database: RawQuery,
  requests: Requests,
  limits: AcceptLimits,
): Promise<Acceptance[][]> {
  const ids = requests.flat().map(({ id }) => id);
  let stored: StoredEvents = new Map();
  for (let round = 1; ; round += 1) {
    try {
      return await withPartitions(database, ids, () => acceptMissing(database, requests, { stored, limits }));
    } catch (error) {
      if (round === MAX_ROUNDS) throw error;
      if (isUniqueViolation(error, EVENT_ID)) stored = await findStoredEvents(database, requests.flat());
      else if (!isUniqueViolation(error, 'idempotency_keys_pkey')) throw error;
    }
  }
}

/** The two unique indexes of a day's events. */
const EVENT_ID = /\bdrift_events_\d+_(pkey|customer_id_id_idx)\b/;

async function acceptMissing(
  database: RawQuery,
  requests: Requests,
  { stored, limits }: { stored: StoredEvents; limits: AcceptLimits },
): Promise<Acceptance[][]> {
  const missing = requests.map((events) => events.filter(({ id }) => !stored.has(id)));
  const events = missing.flatMap((request, index) => request.map((event) => ({ ...event, request: index })));
  const rows = events.length === 0 ? [] : await insertEvents(database, events, limits);
  const answers = await ownKeysAreNoReplays(database, events, acceptancesOf(events, rows));
  return requests.map((request) =>
    request.map(({ id }) => {
      const deliveries = stored.get(id);
      const answer = deliveries === undefined ? answers.get(id) : { kind: 'created' as const, deliveries };
      if (answer === undefined) throw new Error(`event ${id} got no answer`);
      return answer;
    }),
  );
}

/** A key that leads to the very event that came with it was stored by an earlier statement, whose answer was lost. */
async function ownKeysAreNoReplays(
  database: RawQuery,
  events: readonly EventToAccept[],
  answers: Map<string, Acceptance>,
): Promise<ReadonlyMap<string, Acceptance>> {
  const own = events.filter(({ id }) => {
    const answer = answers.get(id);
    return answer?.kind === 'replayed' && answer.eventId === id;
  });
  for (const [id, deliveries] of await findStoredEvents(database, own))
    answers.set(id, { kind: 'created', deliveries });
  return answers;
}

/** Rows are inserted in the order of (customer, key), or two inputs with the same keys would wait for each other. */
async function insertEvents(
  database: RawQuery,
  events: readonly (EventToAccept & { request: number })[],
  { maxAttempts, deliveriesPerJob = 1, backlogMs = 0, withinMs }: AcceptLimits,
): Promise<InsertedRow[]> {
  const rows = await rowsJson(events.map(toRow), ({ body }) => body.length);
  return database.$queryRaw<InsertedRow[]>`
    /* prepared: accept_events */
    WITH input AS (
      SELECT * FROM ROWS FROM (
        jsonb_to_recordset(${rows}::jsonb) AS (
          request int, id uuid, customer_id uuid, event_type text, patterns text[], drift_type text, severity float8,
          request_id uuid, occurred_at text, created_at timestamptz, body text, key text, body_hash text
        )
      ) WITH ORDINALITY AS input(
        request, id, customer_id, event_type, patterns, drift_type, severity, request_id, occurred_at, created_at, body,
        key, body_hash, ordinal
      )
    ),
    known AS (
      SELECT input.request, input.ordinal, keys.event_id, keys.body_hash = decode(input.body_hash, 'hex') AS same_body
      FROM input, LATERAL (
        SELECT * FROM idempotency_keys WHERE customer_id = input.customer_id AND key = input.key OFFSET 0
      ) AS keys
    ),
    fresh AS (
      SELECT * FROM input
      WHERE ordinal NOT IN (SELECT ordinal FROM known)
        AND request NOT IN (SELECT request FROM known WHERE NOT same_body)
      ORDER BY customer_id, key
    ),
    claimed_keys AS (
      INSERT INTO idempotency_keys (customer_id, key, event_id, body_hash, created_at)
      SELECT customer_id, key, id, decode(body_hash, 'hex'), created_at FROM fresh WHERE key IS NOT NULL
      ORDER BY customer_id, key
    ),
    stored AS (
      INSERT INTO drift_events
        (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
      SELECT id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body,
        time_within(created_at, ${withinMs ?? null}::float8 * interval '1 ms')
      FROM fresh
    ),
    subscribed AS (
      SELECT fresh.*, endpoint.id AS endpoint_id, hold_reason,
        ${inBundles(Prisma.sql`fresh.ordinal, endpoint.id`, Prisma.sql`hold_reason IS NULL`)}
      FROM fresh JOIN endpoints endpoint ON ${IS_SUBSCRIBED}
      LEFT JOIN endpoint_flow flow ON flow.endpoint_id = endpoint.id,
      LATERAL (
        SELECT (CASE
          WHEN endpoint.on_hold THEN 'on_hold'
          WHEN flow.circuit_opened_at IS NOT NULL THEN 'circuit_open'
          WHEN flow.crowded_at IS NULL THEN NULL
          WHEN endpoint.max_in_flight IS NOT NULL OR endpoint.max_per_second IS NOT NULL THEN 'rate_limited'
          ELSE 'crowded'
        END)::hold_reason AS hold_reason
      ) AS hold
    ),
    fanned_out AS (
      INSERT INTO deliveries
        (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, job_id, hold_reason,
          held_since, created_at)
      SELECT uuidv7_at(created_at), customer_id, id, endpoint_id, event_type, ${maxAttempts}::int,
        CASE WHEN hold_reason IS NULL THEN now() END,
        CASE WHEN hold_reason IS NULL THEN now() + ${jobGraceMs(backlogMs)}::float8 * interval '1 ms' END,
        CASE WHEN hold_reason IS NULL THEN ${bundleId(deliveriesPerJob)} END,
        hold_reason, CASE WHEN hold_reason IS NOT NULL THEN now() END, created_at
      FROM subscribed
      RETURNING id, event_id, endpoint_id, job_id, hold_reason IS NOT NULL AS is_held
    )
    SELECT input.ordinal::int, known.event_id AS known_event_id, known.same_body,
      fanned_out.id AS delivery_id, fanned_out.endpoint_id,
      fanned_out.job_id, fanned_out.is_held
    FROM input
    LEFT JOIN known ON known.ordinal = input.ordinal
    LEFT JOIN fanned_out ON fanned_out.event_id = input.id
    ORDER BY input.ordinal, fanned_out.id`;
}

/** Whether an endpoint gets a delivery of a fresh event. */
const IS_SUBSCRIBED = Prisma.sql`
  endpoint.customer_id = fresh.customer_id
  AND endpoint.event_types && fresh.patterns
  AND endpoint.active AND endpoint.deleted_at IS NULL
  AND fresh.severity >= coalesce(endpoint.min_severity, 0)`;

/** How many deliveries these events of a customer would have now. */
export async function countDeliveries(
  database: RawQuery,
  customerId: string,
  events: readonly Pick<EventToAccept, 'patterns' | 'severity'>[],
): Promise<number> {
  const [row] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count
    FROM (
      SELECT ${customerId}::uuid AS customer_id, event.*
      FROM jsonb_to_recordset(${JSON.stringify(events)}::jsonb) AS event(patterns text[], severity float8)
    ) AS fresh JOIN endpoints endpoint ON ${IS_SUBSCRIBED}`;
  return row?.count ?? 0;
}

/** An event in the statement's words. */
function toRow(event: EventToAccept & { request: number }) {
  return {
    request: event.request,
    id: event.id,
    customer_id: event.customerId,
    event_type: event.eventType,
    patterns: event.patterns,
    drift_type: event.driftType,
    severity: event.severity,
    request_id: event.requestId,
    occurred_at: event.occurredAt,
    created_at: event.createdAt,
    body: event.body,
    key: event.idempotency?.key,
    body_hash: event.idempotency?.bodyHash,
  };
}
