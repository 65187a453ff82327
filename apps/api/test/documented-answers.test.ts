import { aDriftEvent } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, call, routes, setup } from './setup.js';

let stack: ApiStack;
let ids: Record<string, string>;
let bodies: Record<string, object>;
beforeAll(async () => {
  stack = await setup({ workers: 1 });
  const customer = await aCustomer(stack);
  const { id: customer_id } = customer;
  const { receiver } = stack;
  const endpoint = { customer_id, url: receiver.url, headers: { 'X-Team': 'v' } };
  const { body: made } = await stack.api.post('/v1/endpoints', { ...endpoint, name: 'one' });
  const event = await stack.postEvent(customer_id);
  await stack.deliveryIn('success', event.deliveries[0].id);
  ids = { customers: customer_id, endpoints: made.id, 'drift-events': event.id, deliveries: event.deliveries[0].id };
  bodies = {
    createCustomer: { name: 'x' },
    createApiKey: { customer_id, name: 'x', role: 'viewer', expires_at: '2999-01-01T00:00:00Z' },
    createEndpoint: { ...endpoint, name: 'two', active: false },
    changeEndpoint: { active: false },
    createDriftEvent: aDriftEvent({ customer_id }),
    createDriftEvents: { customer_id, events: [aDriftEvent()] },
  };
});
afterAll(() => stack.close());

const inOrder = [...routes].sort((a, b) => rank(a.operationId) - rank(b.operationId));
const documented = inOrder.filter(({ success }) => success.schema !== undefined);
test.each(documented)('$operationId answers what it documents, and nothing more', async (route) => {
  const [, , thing = ''] = route.path.split('/');
  const { status, body } = await call(stack.api, route, { id: ids[thing], body: bodies[route.operationId] });
  expect(status).toBe(route.success.status);
  // Parsing drops what the schema does not know, so an undocumented field is a difference.
  expect(route.success.schema?.parse(body)).toEqual(body);
});

/** A retry needs its endpoint active, so what changes the endpoint comes last. */
function rank(operationId: string): number {
  return operationId === 'changeEndpoint' ? 1 : 0;
}
