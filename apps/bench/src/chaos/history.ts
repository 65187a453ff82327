import type { Session } from '../stack/database-session.js';
import type { AttemptRow, DeliveryRow, EndpointRow, OrphanedRows } from './oracle/evidence.js';

export type History = {
  eventIds: string[];
  deliveries: DeliveryRow[];
  attempts: AttemptRow[];
  endpoints: EndpointRow[];
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
        max_attempts AS "maxAttempts", round, starts, ${MS('created_at')} AS "createdAt",
        ${MS('completed_at')} AS "completedAt"
      FROM deliveries`),
    attempts: await query<AttemptRow>(`
      SELECT delivery_id AS "deliveryId", number, round, ${MS('started_at')} AS "startedAt", duration_ms AS "durationMs",
        outcome::text, response_code AS "responseCode", coalesce(phases ? 'stale_connection', false) AS "sentAgain"
      FROM attempts`),
    endpoints: await query<EndpointRow>(`
      SELECT id, name, active AND deleted_at IS NULL AS "isActive" FROM endpoints`),
  };
}

export type Counts = { deliveries: number; finished: number };

export async function countDeliveries({ query }: Session): Promise<Counts> {
  const sql = `SELECT count(*)::int AS deliveries, count(completed_at)::int AS finished FROM deliveries`;
  const [counts] = await query<Counts>(sql);
  return counts ?? { deliveries: 0, finished: 0 };
}
