import { eventTypePattern, isReservedEventType } from '@driftwire/delivery';
import { z } from 'zod';
import { customerIdField, instant } from './fields.js';

export const MAX_EVENT_BYTES = 256 * 1024;
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;
export const MAX_BATCH_EVENTS = 1_000;
export const DEFAULT_EVENT_TYPE = 'drift.created';

const share = z.number('must be a number from 0 to 1').min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1');
const value = z.number('must be a finite number');

/** What Driftwire itself reads of `data`; the rest is the domain's own and is kept exactly as sent. */
const driftData = z
  .looseObject(
    {
      drift_type: z
        .string('must be a text of 1 to 64 characters')
        // Not min and max: those count UTF-16 units, and an emoji is one character.
        .regex(/^[\s\S]{1,64}$/u, 'must have 1 to 64 characters'),
      baseline_value: value,
      current_value: value,
      delta_value: value.optional().meta({ description: 'current_value - baseline_value unless given.' }),
      severity: share,
      confidence: share,
    },
    'must be an object',
  )
  .meta({ id: 'DriftData' });

const eventFields = {
  event_type: z
    .string('must be a text')
    .regex(eventTypePattern, 'must be dotted lower case, like drift.created')
    .refine((type) => !isReservedEventType(type), 'must not start with webhook.: that is reserved')
    .default(DEFAULT_EVENT_TYPE),
  occurred_at: instant.optional().meta({ description: 'The time of acceptance unless given.' }),
  data: driftData,
};

export const idempotencyKey = z
  .string('must be a text')
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

export const eventInput = z
  .strictObject({ customer_id: customerIdField, ...eventFields })
  .meta({ id: 'DriftEventInput' });

export const batchItem = z.strictObject({ ...eventFields, idempotency_key: idempotencyKey.optional() });

export const batchInput = z
  .strictObject({ customer_id: customerIdField, events: listOf(batchItem) })
  .meta({ id: 'DriftEventBatchInput' });

/** Of a batch's body whose events are looked at one by one. */
export const batchOutline = z.strictObject({ customer_id: customerIdField, events: listOf(z.unknown()) });

function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item, 'must be a list of events')
    .min(1, 'must have 1 to 1000 events')
    .max(MAX_BATCH_EVENTS, 'must have 1 to 1000 events');
}

export type EventFields = {
  event_type: string;
  occurred_at?: string | undefined;
  data: {
    drift_type: string;
    baseline_value: number;
    current_value: number;
    delta_value?: number | undefined;
    severity: number;
  };
};

const deliveryLink = z.object({ id: z.uuid(), endpoint_id: z.uuid(), status: z.string() });

export const acceptedView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid(),
    event_type: z.string(),
    request_id: z.uuid(),
    created_at: z.iso.datetime(),
    deliveries: z.array(deliveryLink),
  })
  .meta({ id: 'AcceptedDriftEvent' });

export const acceptedBatchView = z
  .object({ results: z.array(acceptedView.extend({ replayed: z.boolean() })) })
  .meta({ id: 'AcceptedDriftEventBatch' });

export const driftEventView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid(),
    event_type: z.string(),
    request_id: z.uuid(),
    occurred_at: z.string(),
    created_at: z.iso.datetime(),
    idempotency_key: z.string().nullable(),
    data: driftData,
  })
  .meta({ id: 'DriftEvent', description: 'data is the very text that was posted.' });
