import type { Delivery, DeliveryWithAttempts } from './public-api.js';
import type { ReceivedWebhook } from './receiver.js';
import type { Role } from './roles.js';
import type { WeatherDrift } from './weather-drift.js';

/** A drift event that was accepted. */
export type PostedEvent = WeatherDrift & { id: string; requestId: string };

/** A receiver as the demo leaves it. */
export type Witness = { role: Role; endpointId: string; received: ReceivedWebhook[] };

/** Everything the demo saw from outside: what it posted, what its receivers got, and what the API has on record. */
export type Evidence = { events: PostedEvent[]; witnesses: Witness[]; deliveries: DeliveryWithAttempts[] };

/** One drift event's way to one receiver, as the record and the receiver tell it. */
export type Story = {
  event: PostedEvent;
  role: Role;
  /** Undefined if it should be on record and is not. */
  delivery: DeliveryWithAttempts | undefined;
  received: ReceivedWebhook[];
};

/** One story for each delivery there should be, event by event. */
export function tellStories({ events, witnesses, deliveries }: Evidence): Story[] {
  return events.flatMap((event) =>
    witnesses
      .filter(({ role }) => role.wants(event.body))
      .map(({ role, endpointId, received }) => {
        const isOurs = (one: Delivery) => one.event_id === event.id && one.endpoint_id === endpointId;
        const delivery = deliveries.find(isOurs);
        return { event, role, delivery, received: received.filter(({ deliveryId }) => deliveryId === delivery?.id) };
      }),
  );
}

/** The attempts as the record has them: "500 → 500 → 200". One that brought no answer shows its outcome instead. */
export function writeAttempts({ attempts }: DeliveryWithAttempts): string {
  return attempts.map(({ response_code: code, outcome }) => code ?? outcome).join(' → ');
}

export function tookMs({ created_at: createdAt, completed_at: completedAt }: Delivery): number | undefined {
  return completedAt === null ? undefined : Date.parse(completedAt) - Date.parse(createdAt);
}

/** As the documentation writes it: `success`, `failed/exhausted`. */
export function nameEnding({
  status,
  failure_reason: reason,
}: {
  status: string;
  failure_reason: string | null;
}): string {
  return reason === null ? status : `${status}/${reason}`;
}
