import { type JsonOutline, type JsonText, outlineJson } from '@driftwire/delivery';
import type { PostedEvent } from './accept-drift-events.js';
import { batchItem, type EventFields, MAX_BATCH_EVENTS, MAX_EVENT_BYTES } from './drift-event-fields.js';
import { invalid, MAX_VIOLATIONS, Problem, type Violation } from './problem.js';
import { check, jsonProblem, jsonTextOf } from './request-body.js';
import type { Pause } from './turns.js';

/** An event that was posted alone, with the texts that are kept cut from the request. */
export function postedAlone(json: JsonText, fields: EventFields, key: string | undefined): PostedEvent {
  return postedEvent(json, { fields, addressedBy: 'customer_id', key, pointer: '' });
}

/** A batch's body but for its events, which are read one at a time: an event is never parsed with a thousand others. */
export async function readBatch(bytes: Buffer | undefined, pause: Pause): Promise<JsonOutline> {
  const reading = await outlineJson(jsonTextOf(bytes), { list: 'events', maxItems: MAX_BATCH_EVENTS, pause });
  if (!reading.ok) throw jsonProblem(reading.problem);
  return reading.outline;
}

/** The events of a batch, or every violation in them. */
export async function readEvents(batch: JsonOutline, pause: Pause): Promise<PostedEvent[]> {
  const posted: PostedEvent[] = [];
  const violations: Violation[] = [];
  for (const [index, item] of batch.items.entries()) {
    await pause();
    const pointer = `/events/${index}`;
    const reading = batch.itemAt(item);
    if (!reading.ok) throw jsonProblem({ ...reading.problem, pointer });
    refuseLarge(reading.json, pointer);
    const checked = check(batchItem, reading.json.value);
    if (checked.ok) posted.push(postedInBatch(reading.json, checked.data, pointer));
    else violations.push(...checked.violations.map((one) => ({ ...one, pointer: pointer + one.pointer })));
    if (violations.length > MAX_VIOLATIONS) break;
  }
  const [first, ...rest] = violations;
  if (first !== undefined) throw invalid([first, ...rest]);
  return posted;
}

type BatchItem = EventFields & { idempotency_key?: string | undefined };

function postedInBatch(json: JsonText, { idempotency_key: key, ...fields }: BatchItem, pointer: string): PostedEvent {
  return postedEvent(json, { fields: withoutRest(fields), addressedBy: 'idempotency_key', key, pointer });
}

function postedEvent(
  json: JsonText,
  event: { fields: EventFields; addressedBy: string; key: string | undefined; pointer: string },
): PostedEvent {
  return {
    fields: event.fields,
    dataText: json.textOf(['data']) ?? '',
    rawText: event.key === undefined ? '' : (json.textWithout([], event.addressedBy) ?? ''),
    idempotencyKey: event.key,
    pointer: event.pointer,
  };
}

/** What else is in `data` is kept as text: thousands of events must not be kept twice. */
function withoutRest({ event_type, occurred_at, data }: EventFields): EventFields {
  const { drift_type, baseline_value, current_value, delta_value, severity } = data;
  return { event_type, occurred_at, data: { drift_type, baseline_value, current_value, delta_value, severity } };
}

function refuseLarge(json: JsonText, pointer: string): void {
  if (Buffer.byteLength(json.textOf([]) ?? '') <= MAX_EVENT_BYTES) return;
  const violations = [{ pointer, detail: 'is larger than 256 KiB' }];
  throw new Problem('body_too_large', 'A drift event may have at most 256 KiB.', { violations });
}
