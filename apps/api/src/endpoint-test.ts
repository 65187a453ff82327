import { openSecrets } from '@driftwire/database';
import { testEventBody } from '@driftwire/delivery';
import type { AttemptReport } from '@driftwire/sender';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { nothing } from './fields.js';
import { findEndpoint, type LiveEndpoint } from './live-endpoint.js';
import { newId } from './new-id.js';
import { parse, readOptionalJson } from './request-body.js';
import type { Answer, Route } from './route.js';

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

export function testEndpoint(deps: ApiDeps): Route {
  return {
    tag: 'Endpoints',
    access: ['admin'],
    method: 'POST',
    path: '/v1/endpoints/:id/test',
    operationId: 'testEndpoint',
    summary: 'Send one webhook.test to an endpoint',
    body: nothing,
    bodyRequired: false,
    success: { status: 200, description: 'What was sent and what came back. Nothing is stored.', schema: testView },
    problems: [400, 404],
    handle: async ({ caller, id, bodyBytes }) => {
      const endpoint = await findEndpoint(deps, caller, id);
      parse(nothing, readOptionalJson(bodyBytes).value);
      return sendTest(deps, endpoint);
    },
  };
}

/** One guarded attempt like any other, except that it leaves no trace and asks nobody whether the endpoint is active. */
async function sendTest({ sealer, send, now }: ApiDeps, endpoint: LiveEndpoint): Promise<Answer> {
  const eventId = newId(now);
  const body = testEventBody({ requestId: uuidv7(), eventId, at: now().toISOString() });
  const owner = { customerId: endpoint.customerId, endpointId: endpoint.id };
  const report = await send({
    url: endpoint.url,
    eventType: 'webhook.test',
    deliveryId: uuidv7(),
    attemptNumber: 1,
    webhookId: eventId,
    body: Buffer.from(body),
    ...openSecrets(sealer, owner, withoutEndedOverlap(endpoint, now())),
  });
  return { status: 200, body: { request: { headers: report.requestHeaders, body }, outcome: viewOutcome(report) } };
}

function withoutEndedOverlap(endpoint: LiveEndpoint, now: Date): LiveEndpoint {
  const expiresAt = endpoint.previousSecretExpiresAt;
  return expiresAt !== null && expiresAt > now ? endpoint : { ...endpoint, previousSecretSealed: null };
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
