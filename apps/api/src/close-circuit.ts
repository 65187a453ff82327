import { closeCircuit } from '@driftwire/database';
import type { ApiDeps } from './api-dependencies.js';
import { endpointView, viewEndpoint } from './endpoint-fields.js';
import { nothing } from './fields.js';
import { findEndpoint } from './live-endpoint.js';
import { parse, readOptionalJson } from './request-body.js';
import type { Route } from './route.js';

export function closeEndpointCircuit(deps: ApiDeps): Route {
  return {
    tag: 'Endpoints',
    access: ['admin'],
    method: 'POST',
    path: '/v1/endpoints/:id/close-circuit',
    operationId: 'closeCircuit',
    summary: 'Close the circuit of an endpoint, open or not',
    body: nothing,
    bodyRequired: false,
    success: { status: 200, description: 'The endpoint: what waited for it follows.', schema: endpointView },
    problems: [400, 404],
    handle: async ({ caller, actor, id, bodyBytes }) => {
      const { id: endpointId } = await findEndpoint(deps, caller, id);
      parse(nothing, readOptionalJson(bodyBytes).value);
      await closeCircuit(deps.prisma, { endpointId }, actor);
      return { status: 200, body: viewEndpoint(await findEndpoint(deps, caller, id), deps.now()) };
    },
  };
}
