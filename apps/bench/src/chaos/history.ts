import type { Session } from '../stack/database-session.js';
import type { AttemptRow, DeliveryRow, EndpointRow, OpenCircuit, OrphanedRows } from './oracle/evidence.js';

export type History = {
  eventIds: string[];
  deliveries: DeliveryRow[];
  attempts: AttemptRow[];
  endpoints: EndpointRow[];
  circuits: OpenCircuit[];
};

/** With what is read of it apart. */
export type JudgedHistory = History & { orphans: OrphanedRows[] };

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Everything the oracle needs of the database. Read when all is quiet. */
export async function readHistory({ query }: Session): Promise<History> {
  const events = await query<{ id: string }>('SELECT id FROM drift_events');
  return {
    eventIds: events.map(({ id }) => id),
    deliveries: await query<DeliveryRow>(`
      SELECT id, event_id AS "eventId", endpoint_id AS "endpointId", status::text, failure_reason::text AS "failureReason",
        max_attempts AS "maxAttempts", round, starts, hold_reason::text AS "holdReason", ${MS('created_at')} AS "createdAt",
        ${MS('completed_at')} AS "completedAt"
      FROM deliveries`),
    attempts: await query<AttemptRow>(`
      SELECT delivery_id AS "deliveryId", number, round, ${MS('started_at')} AS "startedAt", duration_ms AS "durationMs",
        outcome::text, response_code AS "responseCode", coalesce(phases ? 'stale_connection', false) AS "sentAgain"
      FROM attempts`),
    endpoints: await query<EndpointRow>(`
      SELECT id, name, active AND deleted_at IS NULL AS "isActive", max_in_flight AS "maxInFlight",
        max_per_second AS "maxPerSecond"
      FROM endpoints`),
    circuits: await query<OpenCircuit>(CIRCUITS),
  };
}

/** Openings and closings of an endpoint take turns, for each is a compare-and-set. */
const CIRCUITS = `
  SELECT * FROM (
    SELECT subject_id AS "endpointId", action, ${MS('created_at')} AS "openedAt",
      lead(${MS('created_at')}) OVER turns AS "closedAt", lead(actor = 'driftwire') OVER turns AS "isClosedByProbe"
    FROM audit_log WHERE action IN ('endpoint.circuit_opened', 'endpoint.circuit_closed')
    WINDOW turns AS (PARTITION BY subject_id ORDER BY created_at, id)
  ) AS turn WHERE action = 'endpoint.circuit_opened'`;

export type Counts = { deliveries: number; finished: number };

export async function countDeliveries({ query }: Session): Promise<Counts> {
  const sql = `SELECT count(*)::int AS deliveries, count(completed_at)::int AS finished FROM deliveries`;
  const [counts] = await query<Counts>(sql);
  return counts ?? { deliveries: 0, finished: 0 };
}
