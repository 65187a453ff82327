import type { ApiClient } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, call, routes, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const callers = ['platform', 'admin', 'producer', 'viewer'] as const;
const [platform, admins, producers, everyone] = [1, 2, 3, 4].map((count) => callers.slice(0, count));

/** The column "who" of the design's table of calls. */
const who: Record<string, readonly string[] | undefined> = {
  'POST /v1/customers': platform,
  'GET /v1/customers': platform,
  'GET /v1/customers/:id': platform,
  'POST /v1/api-keys': admins,
  'GET /v1/api-keys': admins,
  'DELETE /v1/api-keys/:id': admins,
  'POST /v1/endpoints': admins,
  'GET /v1/endpoints': everyone,
  'GET /v1/endpoints/:id': everyone,
  'PATCH /v1/endpoints/:id': admins,
  'DELETE /v1/endpoints/:id': admins,
  'POST /v1/endpoints/:id/rotate-secret': admins,
  'POST /v1/endpoints/:id/test': admins,
  'POST /v1/endpoints/:id/close-circuit': admins,
  'POST /v1/drift-events': producers,
  'POST /v1/drift-events/batch': producers,
  'GET /v1/drift-events': everyone,
  'GET /v1/drift-events/:id': everyone,
  'GET /v1/deliveries': everyone,
  'GET /v1/deliveries/:id': everyone,
  'POST /v1/deliveries/:id/retry': producers,
  'GET /v1/audit-log': admins,
};

test('the table names exactly the routes there are', () => {
  expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(Object.keys(who).sort());
});

const cases = routes.flatMap((route) =>
  callers.map((caller) => ({ route, caller, name: `${route.method} ${route.path}` })),
);
test.each(cases)('$name by $caller', async ({ route, caller, name }) => {
  const answer = await call(clientOf(caller), route);
  if (who[name]?.includes(caller)) expect([200, 400, 404]).toContain(answer.status);
  else expect(answer).toEqual(aProblem(403, 'forbidden'));
});

test.each(routes.map(({ method, path }) => ({ method, path })))('$method $path without a key is 401', async (route) => {
  expect(await call(stack.api.as(null), route)).toEqual(aProblem(401, 'unauthorized'));
});

function clientOf(caller: (typeof callers)[number]): ApiClient {
  return caller === 'platform' ? stack.api : customer[caller];
}
