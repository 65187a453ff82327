import { aDriftEvent } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let other: Customer;
beforeAll(async () => {
  stack = await setup();
  [customer, other] = await Promise.all([aCustomer(stack), aCustomer(stack)]);
});
afterAll(() => stack.close());

test('401 comes before everything: no key with invalid JSON', async () => {
  expect(await stack.api.as(null).post('/v1/drift-events', '{')).toEqual(aProblem(401, 'unauthorized'));
  expect(await stack.api.as('x').get(`/v1/endpoints/${UNKNOWN_ID}`)).toEqual(aProblem(401, 'unauthorized'));
});

test('403 comes before 404 and 400: a viewer with an invalid body on an unknown endpoint', async () => {
  const path = `/v1/endpoints/${UNKNOWN_ID}`;
  expect(await customer.viewer.patch(path, { nonsense: 1 })).toEqual(aProblem(403, 'forbidden'));
  expect(await customer.viewer.post('/v1/drift-events', '{')).toEqual(aProblem(403, 'forbidden'));
});

test.each(['', '/rotate-secret', '/test', '/close-circuit'])(
  '404 comes before 400: an invalid body on an unknown endpoint%s',
  async (action) => {
    const path = `/v1/endpoints/${UNKNOWN_ID}${action}`;
    const answer = action === '' ? customer.admin.patch(path, '{') : customer.admin.post(path, '{');
    expect(await answer).toEqual(aProblem(404, 'not_found'));
  },
);

test('404 comes before 400: an invalid body on an unknown delivery', async () => {
  const answer = await customer.producer.post(`/v1/deliveries/${UNKNOWN_ID}/retry`, { nonsense: 1 });
  expect(answer).toEqual(aProblem(404, 'not_found'));
});

test("404 comes before 400: an invalid event in another customer's name, and a wrong key header with it", async () => {
  const body = { customer_id: other.id, data: 'nonsense' };
  const headers = { 'idempotency-key': 'a b' };
  expect(await customer.producer.post('/v1/drift-events', body, headers)).toEqual(aProblem(404, 'not_found'));
  expect(await customer.producer.post('/v1/drift-events/batch', body, headers)).toEqual(aProblem(404, 'not_found'));
});

test('400 comes before 409: an invalid change that would also take a name', async () => {
  const url = stack.receiver.url;
  await customer.admin.post('/v1/endpoints', { name: 'taken', url });
  const answer = await customer.admin.post('/v1/endpoints', { name: 'taken', url, active: 'yes' });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
});

test('400 comes before 409: an invalid event under a key of another event', async () => {
  const headers = { 'idempotency-key': 'used' };
  await customer.producer.post('/v1/drift-events', aDriftEvent(), headers);
  const answer = await customer.producer.post('/v1/drift-events', aDriftEvent({ nonsense: 1 }), headers);
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
});
