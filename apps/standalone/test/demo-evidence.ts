import { ROLES, type Role } from '../src/demo/roles.js';
import type { Evidence, PostedEvent } from '../src/demo/story.js';
import { readWeather } from '../src/demo/weather.js';
import { findDrift } from '../src/demo/weather-drift.js';

/** A demo in which everything went as it should. Made anew at every call: a test may spoil it. */
export function properEvidence(): Evidence {
  const events = findDrift(readWeather()).map((drift, index) => ({
    ...drift,
    id: `event-${index}`,
    requestId: `request-${index}`,
  }));
  const pairs = events.flatMap((event) =>
    ROLES.filter(({ wants }) => wants(event.body)).map((role) => ({ event, role, id: `${event.id}-${role.name}` })),
  );
  return {
    events,
    witnesses: ROLES.map((role) => ({
      role,
      endpointId: role.name,
      received: pairs.filter((pair) => pair.role === role).flatMap(receivedFor),
    })),
    deliveries: pairs.map(deliveryFor),
  };
}

type Pair = { id: string; event: PostedEvent; role: Role };

function receivedFor({ id, event, role }: Pair) {
  return role.answers.map((answered) => ({
    deliveryId: id,
    webhookId: event.id,
    requestId: event.requestId,
    signatureProblem: undefined,
    answered,
  }));
}

function deliveryFor({ id, event, role }: Pair) {
  return {
    id,
    event_id: event.id,
    endpoint_id: role.name,
    ...role.ending,
    attempt_count: role.answers.length,
    created_at: '2026-01-01T00:00:00.000Z',
    completed_at: role.answers.length === 1 ? '2026-01-01T00:00:00.021Z' : '2026-01-01T00:00:01.754Z',
    attempts: role.answers.map((code, index) => ({ number: index + 1, outcome: 'response', response_code: code })),
  };
}
