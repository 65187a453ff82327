import { countDeliveries, type DriftEvent, listIds, type PrismaClient } from '@driftwire/database';
import { dataTextOf, subscriptionPatterns } from '@driftwire/delivery';
import { z } from 'zod';
import { acceptPosted, createAcceptOne, type PostedEvent } from './accept-drift-events.js';
import { MAX_DELIVERIES } from './accept-in-batches.js';
import type { ApiDeps } from './api-dependencies.js';
import { customerForCreate, pathId, scopeOf, scopeOfQuery } from './customer-scope.js';
import {
  acceptedBatchView,
  acceptedView,
  batchInput,
  batchOutline,
  driftEventView,
  eventInput,
  idempotencyKey,
  MAX_BATCH_BYTES,
  MAX_EVENT_BYTES,
} from './drift-event-fields.js';
import { filterText } from './fields.js';
import { planFilters } from './filter-plan.js';
import { given } from './given.js';
import { createdQuery, idBounds, listSchema, pageQuery } from './page.js';
import { postedAlone, readBatch, readEvents } from './posted-events.js';
import { invalid, notFound, Problem } from './problem.js';
import { parse, parseQuery, readJson } from './request-body.js';
import type { Call, Route } from './route.js';
import { createTurns, type Pause, type Turns } from './turns.js';

const listQuery = z.strictObject({
  ...pageQuery,
  ...createdQuery,
  event_type: filterText.optional(),
  drift_type: filterText.optional(),
  request_id: z.uuid('must be a UUID').optional(),
  idempotency_key: filterText.optional(),
});

const tag = 'Drift events';

export function driftEventRoutes(deps: ApiDeps): Route[] {
  const turns = createTurns();
  return [createDriftEvent(deps, turns), createDriftEvents(deps, turns), listDriftEvents(deps), getDriftEvent(deps)];
}

function createDriftEvent(deps: ApiDeps, { first }: Turns): Route {
  const acceptOne = createAcceptOne(deps);
  return {
    tag,
    access: ['admin', 'producer'],
    method: 'POST',
    path: '/v1/drift-events',
    operationId: 'createDriftEvent',
    summary: 'Report a drift event',
    body: eventInput,
    bodyLimit: MAX_EVENT_BYTES,
    takesIdempotencyKey: true,
    waitsItself: true,
    success: { status: 202, description: 'Stored, with its deliveries.', schema: acceptedView },
    problems: [400, 404, 409, 413],
    handle: async (call) => {
      const json = readJson(call.bodyBytes);
      const customerId = await findCustomer(deps, call, json.value);
      const fields = parse(eventInput, json.value);
      const key = readIdempotencyKey(call);
      const accept = () => acceptOne(customerId, postedAlone(json, fields, key), call.until);
      const { replayed, ...body } = await first(accept);
      return { status: 202, body, headers: replayed ? { 'idempotency-replayed': 'true' } : {} };
    },
  };
}

function createDriftEvents(deps: ApiDeps, { inTurn }: Turns): Route {
  return {
    tag,
    access: ['admin', 'producer'],
    method: 'POST',
    path: '/v1/drift-events/batch',
    operationId: 'createDriftEvents',
    summary: 'Report up to a thousand drift events, all or none',
    body: batchInput,
    bodyLimit: MAX_BATCH_BYTES,
    waitsItself: true,
    success: { status: 202, description: 'Stored, in the order sent.', schema: acceptedBatchView },
    problems: [400, 404, 409, 413],
    handle: async (call) => {
      const { bodyBytes } = call;
      const turn = <T>(work: (pause: Pause) => Promise<T>) => inTurn(bodyBytes?.length ?? 0, work);
      const batch = await turn((pause) => readBatch(bodyBytes, pause));
      const customerId = await findCustomer(deps, call, batch.value);
      refuseBatchKey(call);
      parse(batchOutline, batch.value);
      await call.chargeEvents(batch.items.length);
      const posted = await turn((pause) => readEvents(batch, pause));
      await refuseManyDeliveries(deps, call, { customerId, posted });
      const results = await acceptPosted(deps, customerId, { posted, until: call.until, inTurn: turn });
      return { status: 202, body: { results } };
    },
  };
}

function listDriftEvents({ prisma, cursors }: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/drift-events',
    operationId: 'listDriftEvents',
    summary: 'List drift events, newest first',
    query: listQuery,
    success: { status: 200, description: 'A page.', schema: listSchema(driftEventView) },
    problems: [400, 404],
    handle: async ({ caller, query }) => {
      const scope = scopeOfQuery(caller, query);
      const { customerId } = scope;
      const asked = parseQuery(listQuery, query);
      const { ids, next } = await listIds(prisma, {
        table: 'drift_events',
        ...planFilters(customerId, await filtersOf(prisma, customerId, asked), INDEXES),
        ...given({ idempotencyKey: customerId === undefined ? asked.idempotency_key : undefined }),
        ...idBounds(cursors, asked),
        limit: asked.limit,
      });
      const rows = await prisma.driftEvent.findMany({
        where: { id: { in: ids }, ...scope },
        include: { idempotencyKeys: { select: { key: true } } },
        orderBy: { id: 'desc' },
      });
      const nextCursor = JSON.stringify(next && cursors.encode(next));
      return { status: 200, json: `{"data":[${rows.map(eventJson).join()}],"next_cursor":${nextCursor}}` };
    },
  };
}

function getDriftEvent({ prisma }: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/drift-events/:id',
    operationId: 'getDriftEvent',
    summary: 'Read a drift event',
    success: { status: 200, description: 'The drift event.', schema: driftEventView },
    problems: [404],
    handle: async ({ caller, id }) => {
      const event = await prisma.driftEvent.findFirst({
        where: { id: pathId(id, 'drift event'), ...scopeOf(caller) },
        include: { idempotencyKeys: { select: { key: true } } },
      });
      if (event === null) throw notFound('drift event');
      return { status: 200, json: eventJson(event) };
    },
  };
}

function findCustomer(deps: ApiDeps, call: Call, body: unknown): Promise<string> {
  const findPatiently = (id: string) => deps.rideOut(() => deps.findCustomer(id), call);
  return customerForCreate({ findCustomer: findPatiently }, call.caller, body);
}

/** Asked only where it could be: most batches are far below. */
async function refuseManyDeliveries(
  { prisma, rideOut, maxEndpointsPerCustomer }: ApiDeps,
  call: Call,
  { customerId, posted }: { customerId: string; posted: readonly PostedEvent[] },
): Promise<void> {
  if (posted.length * maxEndpointsPerCustomer <= MAX_DELIVERIES) return;
  const events = posted.map(({ fields }) => ({
    patterns: subscriptionPatterns(fields.event_type),
    severity: fields.data.severity,
  }));
  const count = await rideOut(() => countDeliveries(prisma, customerId, events), call);
  if (count <= MAX_DELIVERIES) return;
  const fitting = Math.floor((posted.length * MAX_DELIVERIES) / count);
  throw new Problem(
    'too_many_deliveries',
    `The batch would make ${count} deliveries, and a request may make ${MAX_DELIVERIES}: send about ${fitting} events at a time.`,
  );
}

function readIdempotencyKey({ idempotencyKey: header }: Call): string | undefined {
  if (header === undefined) return undefined;
  const result = idempotencyKey.safeParse(header);
  if (result.success) return result.data;
  throw invalid([
    { pointer: '', detail: 'has an Idempotency-Key header that is not 1 to 255 visible ASCII characters' },
  ]);
}

function refuseBatchKey({ idempotencyKey: header }: Call): void {
  if (header === undefined) return;
  throw invalid([{ pointer: '', detail: 'has an Idempotency-Key header: give each event its own idempotency_key' }]);
}

const INDEXES = {
  bySelectivity: ['id', 'request_id', 'drift_type', 'event_type'],
  alone: ['id', 'request_id'],
} as const;

/** A customer's idempotency key names one event at most; without a customer the keys are looked at row by row. */
async function filtersOf(prisma: PrismaClient, customerId: string | undefined, asked: z.infer<typeof listQuery>) {
  const { event_type, drift_type, request_id, idempotency_key: key } = asked;
  if (customerId === undefined || key === undefined) return { event_type, drift_type, request_id };
  const found = await prisma.idempotencyKey.findUnique({ where: { customerId_key: { customerId, key } } });
  return { id: found?.eventId ?? NO_EVENT, event_type, drift_type, request_id };
}

const NO_EVENT = '00000000-0000-0000-0000-000000000000';

/** As text, because `data` goes out as it came in. */
function eventJson(event: DriftEvent & { idempotencyKeys: { key: string }[] }): string {
  const fields = JSON.stringify({
    id: event.id,
    customer_id: event.customerId,
    event_type: event.eventType,
    request_id: event.requestId,
    occurred_at: event.occurredAt,
    created_at: event.createdAt.toISOString(),
    idempotency_key: event.idempotencyKeys[0]?.key ?? null,
  });
  return `${fields.slice(0, -1)},"data":${dataTextOf(event.body, event.eventType)}}`;
}
