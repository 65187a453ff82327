import { type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { type DeliveryQueue, openQueue } from './open-queue.js';

let stack: Stack;
let jobs: DeliveryQueue;
beforeAll(async () => {
  stack = await startStack();
  jobs = openQueue(stack.redis.url);
});
afterAll(async () => {
  await jobs.close();
  await stack.close();
});

test('200 ends the delivery: success, attempt_count 1, response_code 200', async () => {
  const { id } = await postDelivery(stack);
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery).toMatchObject({ attempt_count: 1, response_code: 200, failure_reason: null, next_attempt_at: null });
  expect(delivery.completed_at).not.toBeNull();
});

test('three 500s end the delivery as failed and exhausted, and there is no fourth request', async () => {
  const { id, requests } = await postDelivery(stack, { replies: 500 });
  const delivery = await stack.deliveryIn('failed', id);
  expect(delivery).toMatchObject({
    failure_reason: 'exhausted',
    attempt_count: 3,
    response_code: 500,
    last_error: 'the receiver answered 500',
    next_attempt_at: null,
  });
  await jobs.ended(id);
  expect(await jobs.failedReason(id)).toBe('driftwire: exhausted: the receiver answered 500');
  expect(requests()).toHaveLength(3);
});

test('500, 500, 200 is a success on the third attempt', async () => {
  const { id, requests } = await postDelivery(stack, { replies: [500, 500, 200] });
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery).toMatchObject({ attempt_count: 3, response_code: 200, last_error: null });
  const codes = delivery.attempts.map(({ response_code }: { response_code: number }) => response_code);
  expect(codes).toEqual([500, 500, 200]);
  await jobs.ended(id);
  expect(requests()).toHaveLength(3);
});

test('410 ends the delivery at once and deactivates the endpoint; active again, a manual retry works', async () => {
  const { id, endpoint, requests } = await postDelivery(stack, { replies: [410, 200] });
  expect(await stack.deliveryIn('failed', id)).toMatchObject({ failure_reason: 'gone', attempt_count: 1 });
  const path = `/v1/endpoints/${endpoint.id}`;
  await until(async () => !(await stack.api.get(path)).body.active);
  expect((await stack.api.get(path)).body.inactive_reason).toBe('gone');
  expect((await stack.api.post(`/v1/deliveries/${id}/retry`)).status).toBe(409);

  expect((await stack.api.patch(path, { active: true })).body).toMatchObject({ active: true, inactive_reason: null });
  expect((await stack.api.post(`/v1/deliveries/${id}/retry`)).status).toBe(202);
  expect(await stack.deliveryIn('success', id)).toMatchObject({ attempt_count: 2, failure_reason: null });
  expect(requests()).toHaveLength(2);
});

test('410 from a URL that was changed meanwhile leaves the endpoint active', async () => {
  const { customerId, endpoint } = await stack.customerWithEndpoint();
  const path = `/v1/endpoints/${endpoint.id}`;
  stack.receiver.reply(async () => {
    await stack.api.patch(path, { url: `${stack.receiver.url}/moved` });
    return 410;
  });
  const { deliveries } = await stack.postEvent(customerId);
  expect(await stack.deliveryIn('failed', deliveries[0].id)).toMatchObject({ failure_reason: 'gone' });
  await jobs.ended(deliveries[0].id);
  expect((await stack.api.get(path)).body).toMatchObject({ active: true, inactive_reason: null });
});

test('a receiver nobody listens at is retried and ends exhausted, each attempt refused', async () => {
  const { id } = await postDelivery(stack, { endpoint: { url: 'http://127.0.0.1:9' } });
  const delivery = await stack.deliveryIn('failed', id);
  expect(delivery).toMatchObject({ failure_reason: 'exhausted', response_code: null });
  const outcomes = delivery.attempts.map(({ outcome }: { outcome: string }) => outcome);
  expect(outcomes).toEqual(['refused', 'refused', 'refused']);
});

test('bytes that Postgres refuses are recorded cleaned', async () => {
  const body = Buffer.from([0x6f, 0x6b, 0x00, 0xff, 0xed, 0xa0, 0x80, 0x21]);
  const { id } = await postDelivery(stack, { replies: { status: 200, body } });
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts[0].response_body).toMatch(/^ok\uFFFD+!$/);
});

test('the same event twice with one Idempotency-Key is one delivery and one request', async () => {
  stack.receiver.reply(200);
  const { customerId } = await stack.customerWithEndpoint();
  const post = () =>
    stack.api.post('/v1/drift-events', { customer_id: customerId, data: DRIFT }, { 'Idempotency-Key': 'once' });
  const [first, second] = [await post(), await post()];
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  const id = first.body.deliveries[0].id;
  expect(second.body.deliveries.map((delivery: { id: string }) => delivery.id)).toEqual([id]);
  await stack.deliveryIn('success', id);
  await jobs.ended(id);
  const requests = stack.receiver.requests.filter(({ headers }) => headers['webhook-id'] === first.body.id);
  expect(requests).toHaveLength(1);
});

test.each([
  ['an inactive endpoint', { active: false }],
  ['an endpoint that has not subscribed to the type', { event_types: ['model.*'] }],
  ['an endpoint for more severe drift', { min_severity: 0.9 }],
])('%s gets no delivery', async (_, endpoint) => {
  const { customerId } = await stack.customerWithEndpoint(endpoint);
  expect((await stack.postEvent(customerId)).deliveries).toEqual([]);
});

const DRIFT = { drift_type: 'DENIAL_RATE', baseline_value: 1, current_value: 2, severity: 0.5, confidence: 0.9 };
