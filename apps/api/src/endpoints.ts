import { randomBytes } from 'node:crypto';
import {
  type Actor,
  auditAll,
  type Endpoint,
  insertEndpoint,
  Prisma,
  sealHeaders,
  sealSecret,
} from '@driftwire/database';
import { generateSecret } from '@driftwire/delivery';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { closeEndpointCircuit } from './close-circuit.js';
import { customerForCreate, scopeOfQuery } from './customer-scope.js';
import {
  type EndpointChange,
  type EndpointInput,
  type EndpointSchemas,
  type EndpointWithFlow,
  endpointSchemas,
  endpointView,
  endpointWithSecretView,
  unacceptableUrl,
  viewEndpoint,
} from './endpoint-fields.js';
import { testEndpoint } from './endpoint-test.js';
import { given } from './given.js';
import { findEndpoint, namedOnce, writeEndpoint } from './live-endpoint.js';
import { newId } from './new-id.js';
import { answerPage, listSchema, pageQuery } from './page.js';
import { invalid, Problem } from './problem.js';
import { parse, parseQuery, readJson } from './request-body.js';
import { rotateSecret } from './rotate-secret.js';
import type { Route } from './route.js';

const tag = 'Endpoints';
const listQuery = z.strictObject(pageQuery);

export function endpointRoutes(deps: ApiDeps): Route[] {
  const schemas = endpointSchemas(deps.addressPolicy);
  return [
    createEndpoint(deps, schemas),
    listEndpoints(deps),
    getEndpoint(deps),
    changeEndpoint(deps, schemas),
    deleteEndpoint(deps),
    rotateSecret(deps),
    testEndpoint(deps),
    closeEndpointCircuit(deps),
  ];
}

function createEndpoint(deps: ApiDeps, schemas: EndpointSchemas): Route {
  return {
    tag,
    access: ['admin'],
    method: 'POST',
    path: '/v1/endpoints',
    operationId: 'createEndpoint',
    summary: 'Create an endpoint',
    body: schemas.create,
    success: {
      status: 201,
      description: 'The endpoint with its secret, shown this once.',
      schema: endpointWithSecretView,
    },
    problems: [400, 404, 409],
    handle: async ({ caller, actor, bodyBytes }) => {
      const { value } = readJson(bodyBytes);
      const customerId = await customerForCreate(deps, caller, value);
      const { secret = generateSecret(randomBytes), ...input } = parse(schemas.create, value);
      await refuseName(deps, input.url);
      const endpoint = await storeEndpoint(deps, { customerId, actor }, { ...input, secret });
      return { status: 201, body: { ...viewEndpoint({ ...endpoint, flow: [] }, deps.now()), secret } };
    },
  };
}

async function refuseName({ checkName }: ApiDeps, url: string): Promise<void> {
  const problem = await checkName(url);
  if (problem !== null) throw invalid([unacceptableUrl(problem)]);
}

async function storeEndpoint(
  { prisma, sealer, now, maxEndpointsPerCustomer: limit }: ApiDeps,
  { customerId, actor }: { customerId: string; actor: Actor },
  input: EndpointInput & { secret: string },
): Promise<Endpoint> {
  const id = newId(now);
  const owner = { customerId, endpointId: id };
  const { name, url, active } = input;
  const row = {
    ...{ id, customerId, name, url, active },
    eventTypes: input.event_types,
    minSeverity: input.min_severity,
    inactiveReason: active ? null : ('paused' as const),
    onHold: input.on_hold,
    maxInFlight: input.max_in_flight,
    maxPerSecond: input.max_per_second,
    ...sealHeaders(sealer, owner, input.headers),
    secretSealed: sealSecret(sealer, owner, input.secret),
  };
  const endpoint = await namedOnce(insertEndpoint(prisma, row, { actor, limit }));
  if (endpoint !== null) return endpoint;
  throw new Problem('endpoint_limit_reached', `At most ${limit} endpoints per customer: delete one.`);
}

function listEndpoints({ prisma, cursors, now }: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/endpoints',
    operationId: 'listEndpoints',
    summary: 'List endpoints, newest first',
    query: listQuery,
    success: { status: 200, description: 'A page.', schema: listSchema(endpointView) },
    problems: [400, 404],
    handle: async ({ caller, query }) => {
      const scope = scopeOfQuery(caller, query);
      const asked = parseQuery(listQuery, query);
      return answerPage(cursors, asked, {
        find: ({ where, ...page }) =>
          prisma.endpoint.findMany({
            where: { ...where, ...scope, deletedAt: null },
            include: { flow: true },
            ...page,
          }),
        view: (endpoint: EndpointWithFlow) => viewEndpoint(endpoint, now()),
      });
    },
  };
}

function getEndpoint(deps: ApiDeps): Route {
  return {
    tag,
    access: ['admin', 'producer', 'viewer'],
    method: 'GET',
    path: '/v1/endpoints/:id',
    operationId: 'getEndpoint',
    summary: 'Read an endpoint',
    success: { status: 200, description: 'The endpoint.', schema: endpointView },
    problems: [404],
    handle: async ({ caller, id }) => ({
      status: 200,
      body: viewEndpoint(await findEndpoint(deps, caller, id), deps.now()),
    }),
  };
}

function changeEndpoint(deps: ApiDeps, schemas: EndpointSchemas): Route {
  return {
    tag,
    access: ['admin'],
    method: 'PATCH',
    path: '/v1/endpoints/:id',
    operationId: 'changeEndpoint',
    summary: 'Change an endpoint',
    body: schemas.change,
    success: { status: 200, description: 'The endpoint as it is now.', schema: endpointView },
    problems: [400, 404, 409],
    handle: async ({ caller, actor, id, bodyBytes }) => {
      const before = await findEndpoint(deps, caller, id);
      const input = parse(schemas.change, readJson(bodyBytes).value);
      if (input.url !== undefined) await refuseName(deps, input.url);
      const changed = await writeEndpoint(deps, before, { input, data: changesOf(deps, before, input), actor });
      return { status: 200, body: viewEndpoint(changed, deps.now()) };
    },
  };
}

function changesOf({ sealer }: ApiDeps, before: Endpoint, input: EndpointChange) {
  const { name, url, active, on_hold: onHold, event_types: eventTypes, min_severity: minSeverity, headers } = input;
  const { max_in_flight: maxInFlight, max_per_second: maxPerSecond } = input;
  const owner = { customerId: before.customerId, endpointId: before.id };
  return {
    ...given({ name, url, active, onHold, eventTypes, minSeverity, maxInFlight, maxPerSecond }),
    ...given({ inactiveReason: inactiveReason(active, before) }),
    ...(headers === undefined ? {} : sealHeaders(sealer, owner, headers)),
  };
}

/** Being active clears the reason; pausing what is already inactive keeps its reason. */
function inactiveReason(active: boolean | undefined, before: Endpoint) {
  if (active === undefined) return undefined;
  return active ? null : (before.inactiveReason ?? 'paused');
}

function deleteEndpoint(deps: ApiDeps): Route {
  return {
    tag,
    access: ['admin'],
    method: 'DELETE',
    path: '/v1/endpoints/:id',
    operationId: 'deleteEndpoint',
    summary: 'Delete an endpoint',
    success: { status: 204, description: 'Deleted: its secret is wiped, its waiting deliveries will be cancelled.' },
    problems: [404],
    handle: async ({ caller, actor, id }) => {
      await wipeEndpoint(deps, await findEndpoint(deps, caller, id), actor);
      return { status: 204 };
    },
  };
}

async function wipeEndpoint({ prisma, now }: ApiDeps, { id, customerId }: Endpoint, actor: Actor): Promise<void> {
  await prisma.$transaction([
    auditAll(
      prisma,
      { ...actor, action: 'endpoint.deleted' },
      Prisma.sql`
        SELECT id, customer_id FROM endpoints
        WHERE id = ${id}::uuid AND customer_id = ${customerId}::uuid AND deleted_at IS NULL FOR NO KEY UPDATE`,
    ),
    prisma.endpoint.updateMany({
      where: { id, customerId, deletedAt: null },
      data: {
        deletedAt: now(),
        updatedAt: now(),
        secretSealed: null,
        previousSecretSealed: null,
        previousSecretExpiresAt: null,
        headersSealed: null,
        version: { increment: 1 },
      },
    }),
  ]);
}
