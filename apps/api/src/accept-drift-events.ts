import { hash } from 'node:crypto';
import type { Acceptance, EventToAccept, PrismaClient } from '@driftwire/database';
import { driftEventBody, subscriptionPatterns, withDelta } from '@driftwire/delivery';
import type { ApiDeps } from './api-dependencies.js';
import type { EventFields } from './drift-event-fields.js';
import { createFold } from './fold.js';
import { uuidv7 } from './new-id.js';
import { Problem } from './problem.js';
import type { Pause } from './turns.js';

/**
 * A validated drift event with the texts that are kept: `dataText` for the webhook, `rawText` for the replay check.
 * The raw text is the event's own, without the members that only address it, so that an event sent alone and the same
 * one sent in a batch are one.
 */
export type PostedEvent = {
  fields: EventFields;
  dataText: string;
  rawText: string;
  idempotencyKey: string | undefined;
  /** Where it stands in the request, for a conflict's pointer. */
  pointer: string;
};

export type AcceptedView = {
  id: string;
  customer_id: string;
  event_type: string;
  request_id: string;
  created_at: string;
  deliveries: { id: string; endpoint_id: string; status: string }[];
  replayed: boolean;
};

/**
 * Accepts one event. Requests that repeat it while it is underway, as a producer does that lost its patience, never reach
 * the database.
 */
export function createAcceptOne(
  deps: ApiDeps,
): (customerId: string, posted: PostedEvent, until: number) => Promise<AcceptedView> {
  const fold = createFold<AcceptedView[]>();

  return async (customerId, posted, until) => {
    const { idempotencyKey, rawText } = posted;
    const accept = () => acceptPosted(deps, customerId, { posted: [posted], until, inTurn: atOnce });
    if (idempotencyKey === undefined) return answerFor((await accept())[0], false);
    const { answer, isTwin } = await fold(`${customerId}/${idempotencyKey}/${sha256Hex(rawText)}`, accept);
    const view = answerFor(answer[0], isTwin);
    if (isTwin) deps.onAccepted(acceptedEvent(view));
    return view;
  };
}

/** What may take long for many events is done in its turn. */
type Request = {
  posted: readonly PostedEvent[];
  until: number;
  inTurn: <T>(work: (pause: Pause) => Promise<T>) => Promise<T>;
};

function atOnce<T>(work: (pause: Pause) => Promise<T>): Promise<T> {
  return work(() => undefined);
}

/**
 * Stores the posted events with their deliveries. All of them or none: a key that was used for
 * another event rejects the whole request. The answer does not wait for Redis, and for Postgres it waits `until` then.
 */
export async function acceptPosted(
  deps: ApiDeps,
  customerId: string,
  { posted, until, inTurn }: Request,
): Promise<AcceptedView[]> {
  const createdAt = deps.now();
  const events = await inTurn((pause) => eventsToAccept(posted, { customerId, createdAt, pause }));
  const originals = foldTwins(posted, events);
  const distinct = events.filter((_, index) => originals[index] === index);
  const acceptances = await deps.accept(distinct, until);
  refuseConflicts(
    posted.filter((_, index) => originals[index] === index),
    acceptances,
  );

  const replays = await deps.rideOut(() => findReplays(deps.prisma, customerId, acceptances), { until });
  return inTurn(async (pause) => {
    const views = viewAll(distinct, acceptances, replays);
    const answers = originals.map((original, index) =>
      answerFor(views.get(events[original]?.id ?? ''), original !== index),
    );
    for (const view of answers) {
      const turn = pause();
      if (turn !== undefined) await turn;
      deps.onAccepted(acceptedEvent(view));
    }
    return answers;
  });
}

/** A thousand hashes take a while. */
async function eventsToAccept(
  posted: readonly PostedEvent[],
  { customerId, createdAt, pause }: { customerId: string; createdAt: Date; pause: Pause },
): Promise<EventToAccept[]> {
  const events: EventToAccept[] = [];
  for (const event of posted) {
    const turn = pause();
    if (turn !== undefined) await turn;
    events.push(eventToAccept(event, customerId, createdAt));
  }
  return events;
}

function eventToAccept(
  { fields, dataText, rawText, idempotencyKey }: PostedEvent,
  customerId: string,
  createdAt: Date,
): EventToAccept {
  const id = uuidv7(createdAt.getTime());
  const requestId = uuidv7(createdAt.getTime());
  const occurredAt = fields.occurred_at ?? createdAt.toISOString();
  return {
    id,
    customerId,
    eventType: fields.event_type,
    patterns: subscriptionPatterns(fields.event_type),
    driftType: fields.data.drift_type,
    severity: fields.data.severity,
    requestId,
    occurredAt,
    createdAt,
    body: driftEventBody({
      eventType: fields.event_type,
      dataText: withDelta(dataText, fields.data),
      requestId,
      eventId: id,
      occurredAt,
      createdAt: createdAt.toISOString(),
    }),
    idempotency: idempotencyKey === undefined ? null : { key: idempotencyKey, bodyHash: sha256Hex(rawText) },
  };
}

/** For each event the index of the first one with its key, or its own. Twins with different bodies are a conflict. */
function foldTwins(posted: readonly PostedEvent[], events: readonly EventToAccept[]): number[] {
  const firstByKey = new Map<string, number>();
  return events.map(({ idempotency }, index) => {
    if (idempotency === null) return index;
    const first = firstByKey.get(idempotency.key) ?? index;
    if (events[first]?.idempotency?.bodyHash !== idempotency.bodyHash) throw conflict(posted[index]?.pointer ?? '');
    firstByKey.set(idempotency.key, first);
    return first;
  });
}

function refuseConflicts(posted: readonly PostedEvent[], acceptances: readonly Acceptance[]): void {
  const index = acceptances.findIndex(({ kind }) => kind === 'conflict');
  if (index >= 0) throw conflict(posted[index]?.pointer ?? '');
}

function conflict(pointer: string): Problem {
  return new Problem('idempotency_conflict', 'The same key came with another event before. Nothing was stored.', {
    violations: [{ pointer, detail: 'has an idempotency key that belongs to another event' }],
  });
}

/** The answers by the id of the event that was sent in; a replay shows the first event, as it is now. */
function viewAll(
  events: readonly EventToAccept[],
  acceptances: readonly Acceptance[],
  replays: ReadonlyMap<string, AcceptedView>,
): Map<string, AcceptedView> {
  return new Map(
    events.flatMap((event, index) => {
      const acceptance = acceptances[index];
      const view = acceptance?.kind === 'created' ? viewCreated(event, acceptance) : replays.get(replayOf(acceptance));
      return view === undefined ? [] : [[event.id, view]];
    }),
  );
}

function replayOf(acceptance: Acceptance | undefined): string {
  return acceptance?.kind === 'replayed' ? acceptance.eventId : '';
}

function viewCreated(event: EventToAccept, { deliveries }: Extract<Acceptance, { kind: 'created' }>): AcceptedView {
  return {
    id: event.id,
    customer_id: event.customerId,
    event_type: event.eventType,
    request_id: event.requestId,
    created_at: event.createdAt.toISOString(),
    deliveries: deliveries.map(({ id, endpointId, status }) => ({ id, endpoint_id: endpointId, status })),
    replayed: false,
  };
}

async function findReplays(
  prisma: PrismaClient,
  customerId: string,
  acceptances: readonly Acceptance[],
): Promise<Map<string, AcceptedView>> {
  const ids = acceptances.flatMap((acceptance) => (acceptance.kind === 'replayed' ? [acceptance.eventId] : []));
  if (ids.length === 0) return new Map();
  const events = await prisma.driftEvent.findMany({
    where: { id: { in: ids }, customerId },
    omit: { body: true },
    include: { deliveries: { select: { id: true, endpointId: true, status: true }, orderBy: { id: 'asc' } } },
  });
  return new Map(
    events.map((event) => [
      event.id,
      {
        id: event.id,
        customer_id: event.customerId,
        event_type: event.eventType,
        request_id: event.requestId,
        created_at: event.createdAt.toISOString(),
        deliveries: event.deliveries.map(({ id, endpointId, status }) => ({ id, endpoint_id: endpointId, status })),
        replayed: true,
      },
    ]),
  );
}

function answerFor(view: AcceptedView | undefined, isTwin: boolean): AcceptedView {
  if (view === undefined) throw new Error('an accepted drift event has no answer');
  return isTwin ? { ...view, replayed: true } : view;
}

function acceptedEvent(view: AcceptedView) {
  return {
    eventId: view.id,
    customerId: view.customer_id,
    eventType: view.event_type,
    deliveries: view.deliveries.length,
    replayed: view.replayed,
  };
}

function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}
