import type { PrismaClient } from './generated/client.js';
import { jobGraceMs } from './job-grace.js';
import { withPartitions } from './partitions.js';
import { isUniqueViolation } from './postgres-error.js';

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

/** In the order of the input. `conflict`: the key exists with another body; then nothing of its request was stored. */
export type Acceptance =
  | { kind: 'created'; deliveries: NewDelivery[] }
  | { kind: 'replayed'; eventId: string }
  | { kind: 'conflict' };

export type NewDelivery = { id: string; endpointId: string };

/**
 * `backlogMs`: for how long the oldest delivery that is due has been waiting (`oldestDueMs`). `withinMs`: an event whose `createdAt` is
 * further from the moment at which its statement begins is not stored, as if Postgres were away; without it, any is.
 */
export type AcceptLimits = { maxAttempts: number; backlogMs?: number; withinMs?: number };

const MAX_ROUNDS = 10;

/**
 * Stores the events of several requests with their deliveries in one statement. Of a request everything or nothing: one
 * conflicting key rejects it, and no other. Keys must be unique within the input (the caller folds twins).
 *
 * One statement cannot see a twin that commits while it runs: the unique key stops it then, Postgres takes everything
 * back, and the next round sees the twin's key and replays it. docs/adr/0002-idempotency-by-unique-key.md.
 */
export async function acceptEvents(
  prisma: PrismaClient,
  requests: readonly (readonly EventToAccept[])[],
  limits: AcceptLimits,
): Promise<Acceptance[][]> {
  const events = requests.flatMap((request, index) => request.map((event) => ({ ...event, request: index })));
  const ids = events.map(({ id }) => id);
  for (let round = 1; ; round += 1) {
    try {
      const insert = () => insertEvents(prisma, events, limits);
      return acceptances(requests, await withPartitions(prisma, ids, insert));
    } catch (error) {
      if (round === MAX_ROUNDS || !isUniqueViolation(error, 'idempotency_keys_pkey')) throw error;
    }
  }
}

type InsertedRow = {
  ordinal: number;
  known_event_id: string | null;
  same_body: boolean | null;
  delivery_id: string | null;
  endpoint_id: string | null;
};

/** Rows are inserted in the order of (customer, key), or two inputs with the same keys would wait for each other. */
function insertEvents(
  prisma: PrismaClient,
  events: readonly (EventToAccept & { request: number })[],
  { maxAttempts, backlogMs = 0, withinMs }: AcceptLimits,
): Promise<InsertedRow[]> {
  return prisma.$queryRaw<InsertedRow[]>`
    /* prepared: accept_events */
    WITH input AS (
      SELECT * FROM ROWS FROM (
        jsonb_to_recordset(${JSON.stringify(events.map(toRow))}::jsonb) AS (
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
    fanned_out AS (
      INSERT INTO deliveries
        (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
      SELECT uuidv7_at(fresh.created_at), fresh.customer_id, fresh.id, endpoint.id, fresh.event_type, ${maxAttempts}::int,
        now(), now() + ${jobGraceMs(backlogMs)}::float8 * interval '1 ms', fresh.created_at
      FROM fresh JOIN endpoints endpoint ON endpoint.customer_id = fresh.customer_id
        AND endpoint.event_types && fresh.patterns
        AND endpoint.active AND endpoint.deleted_at IS NULL
        AND fresh.severity >= coalesce(endpoint.min_severity, 0)
      RETURNING id, event_id, endpoint_id
    )
    SELECT input.ordinal::int, known.event_id AS known_event_id, known.same_body,
      fanned_out.id AS delivery_id, fanned_out.endpoint_id
    FROM input
    LEFT JOIN known ON known.ordinal = input.ordinal
    LEFT JOIN fanned_out ON fanned_out.event_id = input.id
    ORDER BY input.ordinal, fanned_out.id`;
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

function acceptances(requests: readonly (readonly EventToAccept[])[], rows: readonly InsertedRow[]): Acceptance[][] {
  const rowsOf = requests.flat().map((): InsertedRow[] => []);
  for (const row of rows) rowsOf[row.ordinal - 1]?.push(row);
  const answers = rowsOf.map(acceptance);
  return requests.map((request) => answers.splice(0, request.length));
}

function acceptance(rows: readonly InsertedRow[]): Acceptance {
  const known = rows[0];
  if (known?.known_event_id) {
    return known.same_body ? { kind: 'replayed', eventId: known.known_event_id } : { kind: 'conflict' };
  }
  const deliveries = rows.flatMap(({ delivery_id, endpoint_id }) =>
    delivery_id && endpoint_id ? [{ id: delivery_id, endpointId: endpoint_id }] : [],
  );
  return { kind: 'created', deliveries };
}
