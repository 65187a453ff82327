import type { DeliveryStatus, PrismaClient } from './generated/client.js';
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
};

/** The deliveries of events that are stored, by the event's id. */
export type StoredEvents = ReadonlyMap<string, NewDelivery[]>;

/** Those of these events that are stored, with their deliveries as they are now. */
export async function findStoredEvents(prisma: PrismaClient, events: readonly { id: string }[]): Promise<StoredEvents> {
  if (events.length === 0) return new Map();
  const ids = events.map(({ id }) => id);
  const { lowest, highest } = idRange(ids);
  const rows = await prisma.$queryRaw<{ eventId: string; delivery: NewDelivery | null }[]>`
    SELECT event.id AS "eventId", CASE WHEN delivery.id IS NOT NULL THEN jsonb_build_object('id', delivery.id,
      'endpointId', delivery.endpoint_id, 'generation', delivery.generation, 'status', delivery.status, 'jobId', NULL) END AS delivery
    FROM drift_events event
    LEFT JOIN deliveries delivery ON delivery.event_id = event.id
      AND delivery.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
    WHERE event.id = ANY (${ids}::uuid[]) AND event.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
    ORDER BY event.id, delivery.id`;
  const stored = new Map<string, NewDelivery[]>();
  for (const { eventId, delivery } of rows) {
    const deliveries = stored.get(eventId) ?? [];
    stored.set(eventId, delivery === null ? deliveries : [...deliveries, delivery]);
  }
  return stored;
}
