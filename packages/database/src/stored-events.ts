import type { RawQuery } from './direct-query.js';
import type { DeliveryStatus } from './generated/client.js';
import { idRange } from './id-range.js';

/**
 * Of an event just stored; or, found after an outage, as it is now: it may have gone on already. `jobId` is that of the bundle it
 * leaves in; null: it gets a job of its own, as does what was found, since nobody knows who else was in its bundle.
 */
export type NewDelivery = {
  id: string;
  endpointId: string;
  generation: number;
  status: DeliveryStatus;
  jobId: string | null;
  /** No job is added for it: it waits for a release. */
  isHeld: boolean;
};

/** The deliveries of events that are stored, by the event's id. */
export type StoredEvents = ReadonlyMap<string, NewDelivery[]>;

/** Those of these events that are stored, with their deliveries as they are now. */
export async function findStoredEvents(database: RawQuery, events: readonly { id: string }[]): Promise<StoredEvents> {
  if (events.length === 0) return new Map();
  const ids = events.map(({ id }) => id);
  const { lowest, highest } = idRange(ids);
  const rows = await database.$queryRaw<StoredRow[]>`
    SELECT event.id AS event_id, delivery.id, delivery.endpoint_id, delivery.generation, delivery.status,
      delivery.hold_reason IS NOT NULL AS is_held
    FROM drift_events event
    LEFT JOIN deliveries delivery ON delivery.event_id = event.id
      AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
    WHERE event.id = ANY (${ids}::uuid[]) AND event.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
    ORDER BY event.id, delivery.id`;
  const stored = new Map<string, NewDelivery[]>();
  for (const { event_id: eventId, id, endpoint_id: endpointId, generation, status, is_held } of rows) {
    const deliveries = stored.get(eventId) ?? [];
    const found = id === null ? [] : [{ id, endpointId, generation, status, jobId: null, isHeld: is_held }];
    stored.set(eventId, [...deliveries, ...found]);
  }
  return stored;
}

type StoredRow = {
  event_id: string;
  endpoint_id: string;
  generation: number;
  status: DeliveryStatus;
  is_held: boolean;
  id: string | null;
};
