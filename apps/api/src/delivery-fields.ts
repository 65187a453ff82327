import {
  type Attempt,
  type Delivery,
  DeliveryStatus,
  FailureReason,
  HoldReason,
  OutcomeKind,
} from '@driftwire/database';
import { z } from 'zod';

const instant = z.iso.datetime();

export const deliveryView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid(),
    event_id: z.uuid(),
    endpoint_id: z.uuid(),
    event_type: z.string(),
    status: z.enum(DeliveryStatus),
    failure_reason: z.enum(FailureReason).nullable(),
    hold_reason: z
      .enum(HoldReason)
      .nullable()
      .meta({
        description:
          'Why it waits without being due; null unless it is held. `crowded`: its endpoint has no room for it yet; ' +
          '`circuit_open`: its endpoint keeps failing: it is asked again now and then; `rate_limited`: the limits of its ' +
          'endpoint are reached; `on_hold`: a person has put it on hold.',
      }),
    attempt_count: z.int().meta({ description: 'Attempts over all rounds, the one in flight included.' }),
    max_attempts: z.int(),
    next_attempt_at: instant.nullable(),
    last_attempt_at: instant.nullable(),
    response_code: z.int().nullable().meta({ description: 'Of the last attempt; null when it brought none.' }),
    last_error: z.string().nullable(),
    created_at: instant,
    completed_at: instant.nullable(),
  })
  .meta({ id: 'Delivery', description: 'One drift event for one endpoint.' });

export const attemptView = z
  .object({
    number: z.int(),
    started_at: instant,
    duration_ms: z.number().nullable(),
    phases: z
      .record(z.string(), z.number())
      .nullable()
      .meta({
        description:
          'Milliseconds: `dns`, `tcp`, `tls`, `first_byte`, `download`, as far as it got. `stale_connection`: a connection kept ' +
          'from an earlier attempt had been closed by the receiver, and the request was sent again on a new one.',
      }),
    request_headers: z.record(z.string(), z.string()).nullable(),
    outcome: z.enum(OutcomeKind),
    response_code: z.int().nullable(),
    response_headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).nullable(),
    response_body: z.string().nullable().meta({
      description: 'The first 4 KiB; of a compressed or binary one only what it is, like `[gzip, 512 bytes read]`.',
    }),
    error: z.string().nullable(),
  })
  .meta({ id: 'Attempt', description: 'One HTTP request for a delivery, and what came back.' });

export const deliveryWithAttemptsView = deliveryView
  .extend({ attempts: z.array(attemptView) })
  .meta({ id: 'DeliveryWithAttempts' });

export function viewDelivery(delivery: Delivery) {
  return {
    id: delivery.id,
    customer_id: delivery.customerId,
    event_id: delivery.eventId,
    endpoint_id: delivery.endpointId,
    event_type: delivery.eventType,
    status: delivery.status,
    failure_reason: delivery.failureReason,
    hold_reason: delivery.holdReason,
    attempt_count: attemptCount(delivery),
    max_attempts: delivery.maxAttempts,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    response_code: delivery.responseCode,
    last_error: delivery.lastError,
    created_at: delivery.createdAt.toISOString(),
    completed_at: delivery.completedAt?.toISOString() ?? null,
  };
}

/** The fence is the current attempt's number, or the next one's while a round has not started. */
function attemptCount({ fence, starts }: Delivery): number {
  return starts === 0 ? fence - 1 : fence;
}

export function viewAttempt(attempt: Attempt) {
  return {
    number: attempt.number,
    started_at: attempt.startedAt.toISOString(),
    duration_ms: attempt.durationMs,
    phases: attempt.phases,
    request_headers: attempt.requestHeaders,
    outcome: attempt.outcome,
    response_code: attempt.responseCode,
    response_headers: attempt.responseHeaders,
    response_body: attempt.responseBody,
    error: attempt.error,
  };
}
