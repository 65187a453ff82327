import { randomBytes } from 'node:crypto';
import {
  type Endpoint,
  isUniqueViolation,
  openSecrets,
  type Prisma,
  sealHeaders,
  sealSecret,
} from '@driftwire/database';
import { generateSecret, testEventBody } from '@driftwire/delivery';
import type { AttemptReport } from '@driftwire/sender';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Caller } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { customerForCreate, pathId, scopeOf, scopeOfQuery } from './customer-scope.js';
import { endpointSchemas, endpointView, endpointWithSecretView, viewEndpoint } from './endpoint-fields.js';
import { given } from './given.js';
import { listSchema, pageArguments, pageOf, pageQuery } from './page.js';
import { notFound, Problem } from './problem.js';
import { parse, readJson, readOptionalJson } from './request-body.js';
import type { Answer, Route } from './route.js';

const DAY_S = 86_400;
const MAX_OVERLAP_S = 30 * DAY_S;

const rotationInput = z
  .strictObject({
    overlap_seconds: z
      .int('must be a whole number of seconds')
      .min(0, 'must not be negative')
      .max(MAX_OVERLAP_S, `must be at most ${MAX_OVERLAP_S}`)
      .default(DAY_S)
      .meta({ description: 'How long webhooks are signed with the old secret as well.' }),
  })
  .meta({ id: 'SecretRotation' });
const nothingInput = z.strictObject({});
const listQuery = z.strictObject(pageQuery);

const testView = z
  .object({
    request: z.object({ headers: z.record(z.string(), z.string()), body: z.string() }),
    outcome: z.object({
      kind: z.string(),
      response_code: z.int().nullable(),
      response_body: z.string().nullable(),
      error: z.string().nullable(),
      duration_ms: z.number(),
    }),
  })
  .meta({ id: 'EndpointTest' });

export function endpointRoutes(deps: ApiDeps): Route[] {
  const { prisma, cursors, sealer } = deps;
  const schemas = endpointSchemas(deps.addressPolicy);
  const admin = { tag: 'Endpoints', access: ['admin'] as const };
  const everyone = { tag: 'Endpoints', access: ['admin', 'producer', 'viewer'] as const };
  const find = (caller: Caller, id: string) => findEndpoint(deps, caller, id);

  return [
    {
      ...admin,
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
      handle: async ({ caller, bodyBytes }) => {
        const { value } = readJson(bodyBytes);
        const customerId = await customerForCreate(prisma, caller, value);
        const { secret = generateSecret(randomBytes), headers, ...input } = parse(schemas.create, value);
        await refuseOverLimit(deps, customerId);
        const id = uuidv7();
        const owner = { customerId, endpointId: id };
        const endpoint = await namedOnce(
          prisma.endpoint.create({
            data: {
              id,
              customerId,
              name: input.name,
              url: input.url,
              eventTypes: input.event_types,
              minSeverity: input.min_severity,
              active: input.active,
              inactiveReason: input.active ? null : 'paused',
              ...sealHeaders(sealer, owner, headers),
              secretSealed: sealSecret(sealer, owner, secret),
            },
          }),
        );
        return { status: 201, body: { ...viewEndpoint(endpoint), secret } };
      },
    },
    {
      ...everyone,
      method: 'GET',
      path: '/v1/endpoints',
      operationId: 'listEndpoints',
      summary: 'List endpoints, newest first',
      query: listQuery,
      success: { status: 200, description: 'A page.', schema: listSchema(endpointView) },
      problems: [400, 404],
      handle: async ({ caller, query }) => {
        const asked = parse(listQuery, query);
        const { where, ...page } = pageArguments(cursors, asked);
        const scope = scopeOfQuery(caller, asked.customer_id);
        const found = await prisma.endpoint.findMany({ where: { ...where, ...scope, deletedAt: null }, ...page });
        const { rows, nextCursor } = pageOf(cursors, found, asked.limit);
        return { status: 200, body: { data: rows.map(viewEndpoint), next_cursor: nextCursor } };
      },
    },
    {
      ...everyone,
      method: 'GET',
      path: '/v1/endpoints/:id',
      operationId: 'getEndpoint',
      summary: 'Read an endpoint',
      success: { status: 200, description: 'The endpoint.', schema: endpointView },
      problems: [404],
      handle: async ({ caller, id }) => ({ status: 200, body: viewEndpoint(await find(caller, id)) }),
    },
    {
      ...admin,
      method: 'PATCH',
      path: '/v1/endpoints/:id',
      operationId: 'changeEndpoint',
      summary: 'Change an endpoint',
      body: schemas.change,
      success: { status: 200, description: 'The endpoint as it is now.', schema: endpointView },
      problems: [400, 404, 409],
      handle: async ({ caller, id, bodyBytes }) => {
        const before = await find(caller, id);
        const input = parse(schemas.change, readJson(bodyBytes).value);
        const { name, url, active, event_types: eventTypes, min_severity: minSeverity, headers } = input;
        const owner = { customerId: before.customerId, endpointId: before.id };
        const changes = {
          ...given({ name, url, active, eventTypes, minSeverity, inactiveReason: inactiveReason(active, before) }),
          ...(headers === undefined ? {} : sealHeaders(sealer, owner, headers)),
        };
        return { status: 200, body: viewEndpoint(await changeEndpoint(deps, before, changes)) };
      },
    },
    {
      ...admin,
      method: 'DELETE',
      path: '/v1/endpoints/:id',
      operationId: 'deleteEndpoint',
      summary: 'Delete an endpoint',
      success: { status: 204, description: 'Deleted: its secret is wiped, its waiting deliveries will be cancelled.' },
      problems: [404],
      handle: async ({ caller, id }) => deleteEndpoint(deps, await find(caller, id)),
    },
    {
      ...admin,
      method: 'POST',
      path: '/v1/endpoints/:id/rotate-secret',
      operationId: 'rotateSecret',
      summary: 'Give an endpoint a new secret',
      body: rotationInput,
      bodyRequired: false,
      success: {
        status: 200,
        description: 'The endpoint with its new secret, shown this once.',
        schema: endpointWithSecretView,
      },
      problems: [400, 404, 409],
      handle: async ({ caller, id, bodyBytes }) => {
        const before = await find(caller, id);
        const { overlap_seconds } = parse(rotationInput, readOptionalJson(bodyBytes).value);
        return rotateSecret(deps, before, overlap_seconds);
      },
    },
    {
      ...admin,
      method: 'POST',
      path: '/v1/endpoints/:id/test',
      operationId: 'testEndpoint',
      summary: 'Send one webhook.test to an endpoint',
      body: nothingInput,
      bodyRequired: false,
      success: { status: 200, description: 'What was sent and what came back. Nothing is stored.', schema: testView },
      problems: [400, 404],
      handle: async ({ caller, id, bodyBytes }) => {
        const endpoint = await find(caller, id);
        parse(nothingInput, readOptionalJson(bodyBytes).value);
        return testEndpoint(deps, endpoint);
      },
    },
  ];
}

async function findEndpoint({ prisma }: ApiDeps, caller: Caller, id: string): Promise<LiveEndpoint> {
  const where = { id: pathId(id, 'endpoint'), ...scopeOf(caller), deletedAt: null };
  const endpoint = await prisma.endpoint.findFirst({ where });
  if (endpoint === null || endpoint.secretSealed === null) throw notFound('endpoint');
  return { ...endpoint, secretSealed: endpoint.secretSealed };
}

type LiveEndpoint = Endpoint & { secretSealed: string };

/** Being active clears the reason; pausing what is already inactive keeps its reason. */
function inactiveReason(active: boolean | undefined, before: Endpoint) {
  if (active === undefined) return undefined;
  return active ? null : (before.inactiveReason ?? 'paused');
}

/** Compare-and-set on the version: of two changes at the same moment, one is told to look again. */
async function changeEndpoint(
  { prisma }: ApiDeps,
  before: Endpoint,
  data: Prisma.EndpointUpdateManyMutationInput,
): Promise<Endpoint> {
  const where = { id: before.id, version: before.version, deletedAt: null };
  const [changed] = await namedOnce(
    prisma.endpoint.updateManyAndReturn({ where, data: { ...data, version: { increment: 1 } } }),
  );
  if (changed === undefined) throw new Problem('endpoint_changed', 'Read the endpoint again and repeat the change.');
  return changed;
}

async function deleteEndpoint({ prisma }: ApiDeps, { id }: Endpoint): Promise<Answer> {
  await prisma.endpoint.updateMany({
    where: { id, deletedAt: null },
    data: {
      deletedAt: new Date(),
      secretSealed: null,
      previousSecretSealed: null,
      previousSecretExpiresAt: null,
      headersSealed: null,
      version: { increment: 1 },
    },
  });
  return { status: 204 };
}

/** A second rotation inside an overlap drops the oldest secret: there are never more than two. */
async function rotateSecret(deps: ApiDeps, before: LiveEndpoint, overlapSeconds: number): Promise<Answer> {
  const secret = generateSecret(randomBytes);
  const owner = { customerId: before.customerId, endpointId: before.id };
  const overlap =
    overlapSeconds === 0
      ? { previousSecretSealed: null, previousSecretExpiresAt: null }
      : {
          previousSecretSealed: before.secretSealed,
          previousSecretExpiresAt: new Date(Date.now() + overlapSeconds * 1000),
        };
  const endpoint = await changeEndpoint(deps, before, {
    secretSealed: sealSecret(deps.sealer, owner, secret),
    ...overlap,
  });
  return { status: 200, body: { ...viewEndpoint(endpoint), secret } };
}

/** One guarded attempt like any other, except that it leaves no trace and asks nobody whether the endpoint is active. */
async function testEndpoint({ sealer, send }: ApiDeps, endpoint: LiveEndpoint): Promise<Answer> {
  const eventId = uuidv7();
  const body = testEventBody({ requestId: uuidv7(), eventId, at: new Date().toISOString() });
  const report = await send({
    url: endpoint.url,
    eventType: 'webhook.test',
    deliveryId: uuidv7(),
    attemptNumber: 1,
    webhookId: eventId,
    body: Buffer.from(body),
    ...openSecrets(sealer, { customerId: endpoint.customerId, endpointId: endpoint.id }, withoutEndedOverlap(endpoint)),
  });
  return { status: 200, body: { request: { headers: report.requestHeaders, body }, outcome: viewOutcome(report) } };
}

function withoutEndedOverlap(endpoint: LiveEndpoint) {
  const expiresAt = endpoint.previousSecretExpiresAt;
  return expiresAt !== null && expiresAt > new Date() ? endpoint : { ...endpoint, previousSecretSealed: null };
}

function viewOutcome({ outcome, response, error, durationMs }: AttemptReport) {
  return {
    kind: outcome.kind,
    response_code: response?.status ?? null,
    response_body: response?.body ?? null,
    error,
    duration_ms: durationMs,
  };
}

/** A check before the insert, not a lock: two creates at the same moment may pass the limit by one. */
async function refuseOverLimit({ prisma, maxEndpointsPerCustomer }: ApiDeps, customerId: string): Promise<void> {
  const count = await prisma.endpoint.count({ where: { customerId, deletedAt: null } });
  if (count < maxEndpointsPerCustomer) return;
  throw new Problem('endpoint_limit_reached', `At most ${maxEndpointsPerCustomer} endpoints per customer: delete one.`);
}

async function namedOnce<T>(write: Promise<T>): Promise<T> {
  return write.catch((error: unknown) => {
    if (!isUniqueViolation(error, 'endpoints_customer_id_name_live_key')) throw error;
    throw new Problem('name_taken', 'Another endpoint of this customer has this name.', { cause: error });
  });
}
