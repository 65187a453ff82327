import {
  type Actor,
  type Delivery,
  DeliveryStatus,
  FailureReason,
  HoldReason,
  listIds,
  retryFinishedDelivery,
} from '@driftwire/database';
import { z } from 'zod';
import type { Caller } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { pathId, scopeOf, scopeOfQuery } from './customer-scope.js';
import { deliveryView, deliveryWithAttemptsView, viewAttempt, viewDelivery } from './delivery-fields.js';
import { filterText, nothing } from './fields.js';
import { planFilters } from './filter-plan.js';
import { createdQuery, idBounds, listSchema, pageQuery } from './page.js';
import { notFound, Problem } from './problem.js';
import { parse, parseQuery, readOptionalJson } from './request-body.js';
import type { Answer, Route } from './route.js';

const listQuery = z.strictObject({
  ...pageQuery,
  ...createdQuery,
  status: z.enum(DeliveryStatus, `must be one of ${Object.values(DeliveryStatus).join(', ')}`).optional(),
  endpoint_id: z.uuid('must be the id of an endpoint').optional(),
  event_id: z.uuid('must be the id of a drift event').optional(),
  event_type: filterText.optional(),
  failure_reason: z.enum(FailureReason, `must be one of ${Object.values(FailureReason).join(', ')}`).optional(),
  held: z.enum(['true', 'false'], 'must be true or false').optional(),
  hold_reason: z.enum(HoldReason, `must be one of ${Object.values(HoldReason).join(', ')}`).optional(),
});

const tag = 'Deliveries';

export function deliveryRoutes(deps: ApiDeps): Route[] {
  return [listDeliveries(deps), getDelivery(deps), retryDelivery(deps)];
}

function listDeliveries({ prisma, cursors }: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/deliveries',
    operationId: 'listDeliveries',
    summary: 'List deliveries, newest first',
    query: listQuery,
    success: { status: 200, description: 'A page.', schema: listSchema(deliveryView) },
    problems: [400, 404],
    handle: async ({ caller, query }) => {
      const scope = scopeOfQuery(caller, query);
      const asked = parseQuery(listQuery, query);
      const { ids, next } = await listIds(prisma, {
        table: 'deliveries',
        ...planFilters(scope.customerId, filtersOf(asked), indexesFor(asked)),
        ...idBounds(cursors, asked),
        limit: asked.limit,
      });
      const rows = await prisma.delivery.findMany({ where: { id: { in: ids }, ...scope }, orderBy: { id: 'desc' } });
      return { status: 200, body: { data: rows.map(viewDelivery), next_cursor: next && cursors.encode(next) } };
    },
  };
}

function getDelivery({ prisma }: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/deliveries/:id',
    operationId: 'getDelivery',
    summary: 'Read a delivery with its attempts',
    success: { status: 200, description: 'The delivery and every attempt.', schema: deliveryWithAttemptsView },
    problems: [404],
    handle: async ({ caller, id }) => {
      const deliveryId = pathId(id, 'delivery');
      const scope = scopeOf(caller);
      // One snapshot: read apart, an attempt could be on record already and its delivery not yet moved.
      const [delivery, attempts] = await prisma.$transaction(
        [
          prisma.delivery.findFirst({ where: { id: deliveryId, ...scope } }),
          prisma.attempt.findMany({ where: { deliveryId, ...scope }, orderBy: { number: 'asc' } }),
        ],
        { isolationLevel: 'RepeatableRead' },
      );
      if (delivery === null) throw notFound('delivery');
      return { status: 200, body: { ...viewDelivery(delivery), attempts: attempts.map(viewAttempt) } };
    },
  };
}

function retryDelivery(deps: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer'],
    method: 'POST',
    path: '/v1/deliveries/:id/retry',
    operationId: 'retryDelivery',
    summary: 'Send a finished delivery again, in a fresh round',
    body: nothing,
    bodyRequired: false,
    success: { status: 202, description: 'Pending again; its first attempt starts at once.', schema: deliveryView },
    problems: [400, 404, 409],
    handle: async ({ caller, actor, id, bodyBytes }) => {
      const delivery = await findDelivery(deps, caller, id);
      parse(nothing, readOptionalJson(bodyBytes).value);
      return retry(deps, delivery, actor);
    },
  };
}

async function findDelivery({ prisma }: ApiDeps, caller: Caller, id: string): Promise<Delivery> {
  const delivery = await prisma.delivery.findFirst({ where: { id: pathId(id, 'delivery'), ...scopeOf(caller) } });
  if (delivery === null) throw notFound('delivery');
  return delivery;
}

async function retry({ prisma, enqueue }: ApiDeps, { id, customerId }: Delivery, actor: Actor): Promise<Answer> {
  const retried = await retryFinishedDelivery(prisma, { id, customerId }, actor);
  if (retried === null) {
    throw refusal(await prisma.delivery.findUniqueOrThrow({ where: { id, customerId }, include: { endpoint: true } }));
  }
  const { generation, endpointId, maxAttempts } = retried;
  enqueue([{ deliveryId: id, generation, endpointId, maxAttempts }]);
  return { status: 202, body: viewDelivery(retried) };
}

function refusal({ completedAt, endpoint }: Delivery & { endpoint: { deletedAt: Date | null } }): Problem {
  if (completedAt === null) {
    return new Problem('delivery_unfinished', 'It is still being delivered: wait until it is finished.');
  }
  const remedy = endpoint.deletedAt === null ? 'set it active first' : 'it was deleted';
  return new Problem('endpoint_inactive', `The endpoint takes no deliveries: ${remedy}.`);
}

/** An event has few deliveries, an endpoint its own. The index of states holds only those that people look for. */
const INDEXED_STATES: readonly (DeliveryStatus | undefined)[] = ['retrying', 'failed', 'cancelled'];
function indexesFor({ status }: z.infer<typeof listQuery>) {
  const ofState = INDEXED_STATES.includes(status) ? (['status'] as const) : [];
  return {
    bySelectivity: ['event_id', 'endpoint_id', ...ofState, 'event_type'] as const,
    alone: ['event_id', 'endpoint_id'] as const,
  };
}

function filtersOf(asked: z.infer<typeof listQuery>) {
  const { status, endpoint_id, event_id, event_type, failure_reason, held, hold_reason } = asked;
  return { status, endpoint_id, event_id, event_type, failure_reason, held, hold_reason };
}
