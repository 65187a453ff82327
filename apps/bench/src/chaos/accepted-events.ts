import type { AcceptedEvent } from './chaos-api.js';

/** The events in the answer to a post, one or a batch; undefined if they cannot be told from it. */
export function readAcceptedEvents(body: unknown): AcceptedEvent[] | undefined {
  const events = isRecord(body) && Array.isArray(body.results) ? body.results : [body];
  const accepted = events.filter(isAcceptedEvent);
  return accepted.length === events.length ? accepted : undefined;
}

function isAcceptedEvent(value: unknown): value is AcceptedEvent {
  if (!isRecord(value) || typeof value.id !== 'string' || !Array.isArray(value.deliveries)) return false;
  return value.deliveries.every((delivery) => isRecord(delivery) && typeof delivery.id === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
