import { appendMember } from './json-splice.js';

const DELTA_DIGITS = 12;

export type DriftEventBodyInput = {
  eventType: string;
  /** Spliced in as it is, never parsed: key order, `1.10` and 20-digit integers arrive as sent. */
  dataText: string;
  requestId: string;
  eventId: string;
  occurredAt: string;
  createdAt: string;
};

/** The webhook's body. Made once and stored as text: the bytes stored are the bytes signed are the bytes sent. */
export function driftEventBody(input: DriftEventBodyInput): string {
  const metadata = JSON.stringify({
    request_id: input.requestId,
    event_id: input.eventId,
    occurred_at: input.occurredAt,
    created_at: input.createdAt,
  });
  return `${beforeData(input.eventType)}${input.dataText},"metadata":${metadata}}`;
}

/** `data` as it was sent, cut back out of a body. The last `,"metadata":{` is ours, so it always ends `data`. */
export function dataTextOf(body: string, eventType: string): string {
  return body.slice(beforeData(eventType).length, body.lastIndexOf(',"metadata":{'));
}

/** The body of an endpoint test: the same envelope, with Driftwire's own event type. */
export function testEventBody(input: { requestId: string; eventId: string; at: string }): string {
  return driftEventBody({
    eventType: 'webhook.test',
    dataText: '{"message":"This is a test from Driftwire: your endpoint can be reached."}',
    requestId: input.requestId,
    eventId: input.eventId,
    occurredAt: input.at,
    createdAt: input.at,
  });
}

/** `data` with a missing `delta_value` inserted as its last member; every other byte as sent. */
export function withDelta(dataText: string, data: DriftValues): string {
  if (data.delta_value !== undefined) return dataText;
  return appendMember(dataText, 'delta_value', JSON.stringify(deltaOf(data)));
}

export type DriftValues = { baseline_value: number; current_value: number; delta_value?: number | undefined };

/** Rounded, so that 0.31 - 0.12 reads 0.19. Two huge finite values may differ by more than a number holds: clamped. */
function deltaOf(data: DriftValues): number {
  const delta = Number((data.current_value - data.baseline_value).toPrecision(DELTA_DIGITS));
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, delta));
}

function beforeData(eventType: string): string {
  return `{"event_type":${JSON.stringify(eventType)},"data":`;
}
