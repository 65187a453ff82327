import { aDriftEvent, driftData } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, type Customer, setup } from './setup.js';

let stack: ApiStack;
beforeAll(async () => {
  stack = await setup();
});
afterAll(() => stack.close());

const subscriptions: [string, string[], string, boolean][] = [
  ['* takes everything', ['*'], 'model.retrained', true],
  ['an exact type takes that type', ['drift.created'], 'drift.created', true],
  ['an exact type takes no other', ['drift.created'], 'drift.closed', false],
  ['a prefix takes what is below it', ['drift.*'], 'drift.created', true],
  ['a prefix takes what is deep below it', ['drift.*'], 'drift.a.b.c', true],
  ['a prefix does not take its own name', ['drift.*'], 'drift', false],
  ['a prefix ends at a dot', ['drift.*'], 'drifting.a', false],
  ['a longer prefix does not take its parent', ['drift.a.*'], 'drift.b', false],
  ['one match of several is enough', ['model.*', 'drift.created'], 'drift.created', true],
];
test.each(subscriptions)('%s', async (_, event_types, event_type, isDelivered) => {
  const { customer } = await customerWith({ event_types });
  expect(await deliveriesOf(customer, { event_type })).toHaveLength(isDelivered ? 1 : 0);
});

const severities: [number | null, number, boolean][] = [
  [0.5, 0.5, true],
  [0.5, 0.49999, false],
  [0.5, 0.9, true],
  [0, 0, true],
  [1, 1, true],
  [null, 0, true],
];
test.each(severities)(
  'min_severity %p and severity %p: delivered is %p',
  async (min_severity, severity, isDelivered) => {
    const { customer } = await customerWith({ min_severity });
    expect(await deliveriesOf(customer, { data: driftData({ severity }) })).toHaveLength(isDelivered ? 1 : 0);
  },
);

test('an inactive endpoint gets no delivery', async () => {
  const { customer } = await customerWith({ active: false });
  expect(await deliveriesOf(customer)).toEqual([]);
});

test('a deleted endpoint gets no delivery', async () => {
  const { customer, endpointId } = await customerWith({});
  await customer.admin.delete(`/v1/endpoints/${endpointId}`);
  expect(await deliveriesOf(customer)).toEqual([]);
});

test("another customer's endpoint gets no delivery", async () => {
  await customerWith({});
  expect(await deliveriesOf(await aCustomer(stack))).toEqual([]);
});

test('a change of subscription is in force with the next event', async () => {
  const { customer, endpointId } = await customerWith({ event_types: ['model.*'] });
  expect(await deliveriesOf(customer)).toEqual([]);
  await customer.admin.patch(`/v1/endpoints/${endpointId}`, { event_types: ['drift.*'] });
  expect(await deliveriesOf(customer)).toEqual([
    { id: expect.any(String), endpoint_id: endpointId, status: 'pending' },
  ]);
});

test('every matching endpoint of the customer gets one delivery', async () => {
  const { customer } = await customerWith({ name: 'first', event_types: ['*', 'drift.*', 'drift.created'] });
  await customer.admin.post('/v1/endpoints', { name: 'second', url: stack.receiver.url });
  expect(await deliveriesOf(customer)).toHaveLength(2);
});

async function customerWith(endpoint: Record<string, unknown>): Promise<{ customer: Customer; endpointId: string }> {
  const customer = await aCustomer(stack);
  const { body } = await customer.admin.post('/v1/endpoints', { name: 'one', url: stack.receiver.url, ...endpoint });
  return { customer, endpointId: body.id };
}

async function deliveriesOf(customer: Customer, event: Record<string, unknown> = {}): Promise<unknown[]> {
  const { status, headers, body } = await customer.producer.post('/v1/drift-events', aDriftEvent(event));
  expect(status).toBe(202);
  expect(headers.get('idempotency-replayed')).toBeNull();
  return body.deliveries;
}
