import { randomBytes } from 'node:crypto';
import { rotateEndpointSecret, sealSecret } from '@driftwire/database';
import { generateSecret } from '@driftwire/delivery';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { endpointWithSecretView, viewEndpoint } from './endpoint-fields.js';
import { findEndpoint, refuseChanged } from './live-endpoint.js';
import { parse, readOptionalJson } from './request-body.js';
import type { Route } from './route.js';

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

export function rotateSecret(deps: ApiDeps): Route {
  return {
    tag: 'Endpoints',
    access: ['admin'],
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
    handle: async ({ caller, actor, id, bodyBytes }) => {
      const before = await findEndpoint(deps, caller, id);
      const { overlap_seconds } = parse(rotationInput, readOptionalJson(bodyBytes).value);
      const owner = { customerId: before.customerId, endpointId: before.id };
      const secret = generateSecret(randomBytes);
      const secretSealed = sealSecret(deps.sealer, owner, secret);
      const rotation = { secretSealed, overlapSeconds: overlap_seconds };
      const endpoint = (await rotateEndpointSecret(deps.prisma, before, rotation, actor)) ?? refuseChanged();
      return { status: 200, body: { ...viewEndpoint({ ...endpoint, flow: before.flow }, deps.now()), secret } };
    },
  };
}
