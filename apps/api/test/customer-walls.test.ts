import { aDriftEvent } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, call, routes, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let other: Customer;
/** What belongs to the other customer, by the first word of its path. */
let things: Record<string, string>;
beforeAll(async () => {
  stack = await setup();
  [customer, other] = await Promise.all([aCustomer(stack), aCustomer(stack)]);
  const endpoint = await other.admin.post('/v1/endpoints', { name: 'theirs', url: stack.receiver.url });
  const event = await other.producer.post('/v1/drift-events', aDriftEvent());
  const key = await other.admin.post('/v1/api-keys', { role: 'viewer', name: 'theirs' });
  things = {
    endpoints: endpoint.body.id,
    'drift-events': event.body.id,
    deliveries: event.body.deliveries[0].id,
    'api-keys': key.body.id,
    'audit-log': key.body.id,
  };
});
afterAll(() => stack.close());

const theirThing = (path: string) => things[path.split('/')[2] ?? ''] ?? '';
const ours = routes.filter(({ access }) => access !== 'platform').map(({ method, path }) => ({ method, path }));

test.each(ours.filter(({ path }) => path.includes(':id')))(
  "$method $path with another customer's id is 404, just like an id that does not exist",
  async (route) => {
    const body = route.method === 'PATCH' ? { name: 'mine now' } : undefined;
    const id = theirThing(route.path);
    const theirs = await call(customer.admin, route, { id, body });
    const nobodys = await call(customer.admin, route, { id: UNKNOWN_ID, body });
    expect(theirs).toEqual(aProblem(404, 'not_found'));
    expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' });
  },
);

const lists = ours.filter(({ method, path }) => method === 'GET' && !path.includes(':id'));
test.each(lists)("$method $path shows nothing of another customer's", async (route) => {
  const [mine, theirs] = await Promise.all([call(customer.admin, route), call(other.admin, route)]);
  expect(theirs.text).toContain(theirThing(route.path));
  expect(mine.text).not.toContain(theirThing(route.path));
  expect(mine.text).not.toContain(other.id);
});

test.each(lists)('$method $path?customer_id: own is fine, another is 404 even before 400', async ({ path }) => {
  expect((await customer.admin.get(`${path}?customer_id=${customer.id}`)).status).toBe(200);
  const another = `${path}?customer_id=${other.id}`;
  expect(await customer.admin.get(another)).toEqual(aProblem(404, 'not_found'));
  expect(await customer.admin.get(`${another}&limit=0`)).toEqual(aProblem(404, 'not_found'));
  expect(await customer.admin.get(`${path}?customer_id=x`)).toEqual(aProblem(400, 'invalid_request'));
});

test.each(lists)('$method $path?customer_id filters for a platform key', async ({ path }) => {
  const theirs = await stack.api.get(`${path}?customer_id=${other.id.toUpperCase()}`);
  const owners = theirs.body.data.map(({ customer_id }: { customer_id: string }) => customer_id);
  expect(new Set(owners)).toEqual(new Set([other.id]));
});

test("filters do not reach another customer's things", async () => {
  const { endpoints, 'drift-events': event } = things;
  const found = await customer.viewer.get(`/v1/deliveries?endpoint_id=${endpoints}&event_id=${event}`);
  expect(found.body).toEqual({ data: [], next_cursor: null });
});

const creates: [string, Record<string, unknown>][] = [
  ['/v1/drift-events', aDriftEvent()],
  ['/v1/drift-events/batch', { events: [aDriftEvent()] }],
  ['/v1/endpoints', { name: 'mine', url: 'http://127.0.0.1:1' }],
  ['/v1/api-keys', { name: 'mine', role: 'viewer' }],
];
test.each(creates)('customer_id in the body of %s', async (path, body) => {
  const post = (customer_id: unknown, more = {}) => customer.admin.post(path, { ...body, customer_id, ...more });
  expect([201, 202]).toContain((await post(customer.id)).status);
  expect(await post(other.id)).toEqual(aProblem(404, 'not_found'));
  expect(await post(other.id, { nonsense: 1 })).toEqual(aProblem(404, 'not_found'));
  expect(await post(UNKNOWN_ID)).toEqual(aProblem(404, 'not_found'));
  for (const wrong of [null, 7, {}]) expect(await post(wrong)).toEqual(aProblem(400, 'invalid_request'));
});

test.each(creates)('a platform key names the customer of %s', async (path, body) => {
  const post = (customer_id?: unknown) => stack.api.post(path, { ...body, name: path, customer_id });
  expect(await post(UNKNOWN_ID)).toEqual(aProblem(404, 'not_found'));
  expect(await post("'; DROP TABLE customers; --")).toEqual(aProblem(404, 'not_found'));
  expect(await post(null)).toEqual(aProblem(400, 'invalid_request'));
  if (path !== '/v1/api-keys') expect(await post()).toEqual(aProblem(400, 'invalid_request'));
});

test('a platform key reads by id whatever the customer, and every object says whose it is', async () => {
  for (const path of ['endpoints', 'drift-events', 'deliveries']) {
    const { status, body } = await stack.api.get(`/v1/${path}/${things[path]}`);
    expect({ status, customer_id: body.customer_id }).toEqual({ status: 200, customer_id: other.id });
  }
});
