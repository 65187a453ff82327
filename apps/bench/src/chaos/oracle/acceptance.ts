import type { AcknowledgedEvent, Evidence, Violation } from './evidence.js';
import { groupBy } from './group-by.js';

/** Every acknowledged event is there, with exactly the deliveries that the producer was told of. */
export function findLostDeliveries({ acknowledged, eventIds, deliveries }: Evidence): Violation[] {
  const stored = new Set(eventIds);
  const deliveriesOf = groupBy(deliveries, ({ eventId }) => eventId);
  return acknowledged.flatMap((event) => {
    if (!stored.has(event.id)) return [lost(event, 'is not in the database')];
    const ids = (deliveriesOf.get(event.id) ?? []).map(({ id }) => id);
    if (list(ids) === list(event.deliveryIds)) return [];
    return [lost(event, `has deliveries ${list(ids)}, and ${list(event.deliveryIds)} were acknowledged`)];
  });
}

/** Nothing was accepted behind the producer's back: it repeats every post until it is acknowledged. */
export function findUnacknowledgedEvents({ acknowledged, eventIds }: Evidence): Violation[] {
  const known = new Set(acknowledged.map(({ id }) => id));
  return eventIds
    .filter((id) => !known.has(id))
    .map((id) => ({
      rule: 'no event without acknowledgement',
      ids: [id],
      sentence: `event ${id} is in the database and was never acknowledged`,
    }));
}

export function findUnfinishedDeliveries({ deliveries }: Evidence): Violation[] {
  return deliveries
    .filter(({ completedAt, holdReason }) => completedAt === null && holdReason === null)
    .map(({ id, status, starts }) => ({
      rule: 'every delivery ends',
      ids: [id],
      sentence: `delivery ${id} is still ${status} after ${starts} starts`,
    }));
}

/** What is held has no job and no deadline: only a release ends it. */
export function findHeldDeliveries({ deliveries }: Evidence): Violation[] {
  return deliveries
    .filter(({ holdReason }) => holdReason !== null)
    .map(({ id, holdReason }) => ({
      rule: 'what is held is let go',
      ids: [id],
      sentence: `delivery ${id} is still held (${holdReason})`,
    }));
}

export function findUnknownRequests({ deliveries, requests }: Evidence): Violation[] {
  const known = new Set(deliveries.map(({ id }) => id));
  return requests
    .filter(({ deliveryId }) => !known.has(deliveryId))
    .map(({ deliveryId, endpoint }) => ({
      rule: 'no request without delivery',
      ids: [deliveryId],
      sentence: `${endpoint} got a request for delivery ${deliveryId}, which does not exist`,
    }));
}

function lost({ n, id }: AcknowledgedEvent, what: string): Violation {
  return { rule: 'no acknowledged delivery is lost', ids: [id], sentence: `event ${n} (${id}) ${what}` };
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.toSorted().join(', ');
}
