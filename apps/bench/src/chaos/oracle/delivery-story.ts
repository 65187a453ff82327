import type { AttemptRow, DeliveryRow, EndpointRow, Evidence, ReceivedRequest } from './evidence.js';
import { groupBy } from './group-by.js';

/** A delivery with everything that is known about it: attempts by number, requests by arrival. */
export type DeliveryStory = {
  delivery: DeliveryRow;
  endpoint: EndpointRow | undefined;
  attempts: AttemptRow[];
  requests: ReceivedRequest[];
};

export function tellStories({ deliveries, endpoints, attempts, requests }: Evidence): DeliveryStory[] {
  const attemptsOf = groupBy(attempts, ({ deliveryId }) => deliveryId);
  const requestsOf = groupBy(requests, ({ deliveryId }) => deliveryId);
  const endpointOf = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  return deliveries.map((delivery) => ({
    delivery,
    endpoint: endpointOf.get(delivery.endpointId),
    attempts: (attemptsOf.get(delivery.id) ?? []).toSorted((one, other) => one.number - other.number),
    requests: (requestsOf.get(delivery.id) ?? []).toSorted((one, other) => one.arrivedAt - other.arrivedAt),
  }));
}

export function isSuccessful(status: number | null): boolean {
  return status !== null && status >= 200 && status <= 299;
}

/** An attempt on record as failed. `unknown` is neither: nobody lived to tell. */
export function hasFailed({ outcome, responseCode }: AttemptRow): boolean {
  return outcome !== 'unknown' && !(outcome === 'response' && isSuccessful(responseCode));
}

export function attemptsOfRound({ delivery, attempts }: DeliveryStory): AttemptRow[] {
  return attempts.filter(({ round }) => round === delivery.round);
}
