import { until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aProblem, setup } from './setup.js';

let stack: ApiStack;
let customerId: string;
let endpointId: string;
beforeAll(async () => {
  stack = await setup({ workers: 1 });
});
beforeEach(async () => {
  stack.receiver.reply({ status: 200, body: 'ok' });
  const made = await stack.customerWithEndpoint();
  customerId = made.customerId;
  endpointId = made.endpoint.id;
});
afterAll(() => stack.close());

const retry = (id: string, body?: unknown) => stack.api.post(`/v1/deliveries/${id}/retry`, body);
const numbersOf = (delivery: { attempts: { number: number }[] }) => delivery.attempts.map(({ number }) => number);

async function aDeliveryIn(status: string) {
  const { deliveries } = await stack.postEvent(customerId);
  return stack.deliveryIn(status, deliveries[0].id);
}

test('a delivery reads with its state and its attempts', async () => {
  const event = await stack.postEvent(customerId);
  const delivery = await stack.deliveryIn('success', event.deliveries[0].id);
  expect(delivery).toEqual({
    id: event.deliveries[0].id,
    customer_id: customerId,
    event_id: event.id,
    endpoint_id: endpointId,
    event_type: 'drift.created',
    status: 'success',
    failure_reason: null,
    hold_reason: null,
    attempt_count: 1,
    max_attempts: 3,
    next_attempt_at: null,
    last_attempt_at: expect.any(String),
    response_code: 200,
    last_error: null,
    created_at: event.created_at,
    completed_at: expect.any(String),
    attempts: [
      {
        number: 1,
        started_at: expect.any(String),
        duration_ms: expect.any(Number),
        phases: expect.objectContaining({ first_byte: expect.any(Number) }),
        request_headers: expect.objectContaining({ 'X-Webhook-Attempt': '1', 'X-Signature': '[redacted]' }),
        outcome: 'response',
        response_code: 200,
        response_headers: expect.objectContaining({ date: expect.any(String) }),
        response_body: 'ok',
        error: null,
      },
    ],
  });
  const [listed] = (await stack.api.get(`/v1/deliveries?event_id=${event.id}`)).body.data;
  const { attempts: _, ...withoutAttempts } = delivery;
  expect(listed).toEqual(withoutAttempts);
});

test.each([
  ['no body', undefined],
  ['{}', {}],
])('retry with %s sends a success again, in a fresh round whose numbers continue', async (_, body) => {
  const { id } = await aDeliveryIn('success');
  const answer = await retry(id, body);
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ id, status: 'pending', attempt_count: 1, completed_at: null });
  expect(numbersOf(await stack.deliveryIn('success', id))).toEqual([1, 2]);
});

test('a failed delivery gets three more attempts, and keeps its ids on the wire', async () => {
  stack.receiver.reply(500);
  const { id } = await aDeliveryIn('failed');
  expect((await retry(id)).body).toMatchObject({ status: 'pending', failure_reason: null, attempt_count: 3 });
  const failed = await until(async () => {
    const { body } = await stack.api.get(`/v1/deliveries/${id}`);
    return body.status === 'failed' && body.attempts.length > 3 && body;
  });
  expect(numbersOf(failed)).toEqual([1, 2, 3, 4, 5, 6]);
  const sent = stack.receiver.requests.filter(({ headers }) => headers['x-webhook-delivery-id'] === id);
  expect(sent).toHaveLength(6);
  expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(sent.map(({ body }) => body.toString())).size).toBe(1);
});

test('an unfinished delivery cannot be retried: 409 delivery_unfinished', async () => {
  stack.receiver.reply('hang');
  const { deliveries } = await stack.postEvent(customerId);
  expect(await retry(deliveries[0].id)).toEqual(aProblem(409, 'delivery_unfinished'));
});

test('of ten retries at the same moment one makes a round', async () => {
  const { id } = await aDeliveryIn('success');
  stack.receiver.reply('hang');
  const answers = await Promise.all(Array.from({ length: 10 }, () => retry(id)));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  for (const answer of answers) if (answer.status !== 202) expect(answer).toEqual(aProblem(409, 'delivery_unfinished'));
});

test('without an endpoint that takes deliveries, a retry is 409 endpoint_inactive', async () => {
  const { id } = await aDeliveryIn('success');
  await stack.api.patch(`/v1/endpoints/${endpointId}`, { active: false });
  expect(await retry(id)).toEqual(aProblem(409, 'endpoint_inactive'));
  await stack.api.delete(`/v1/endpoints/${endpointId}`);
  expect(await retry(id)).toEqual(aProblem(409, 'endpoint_inactive'));
  expect((await stack.api.get(`/v1/deliveries/${id}`)).body.status).toBe('success');
});

test('a cancelled delivery is sent once its endpoint is active again', async () => {
  stack.receiver.reply([500, 200]);
  const delivery = await aDeliveryIn('retrying');
  await stack.api.patch(`/v1/endpoints/${endpointId}`, { active: false });
  const cancelled = await stack.deliveryIn('cancelled', delivery.id);
  expect(cancelled.failure_reason).toBe('endpoint_inactive');
  await stack.api.patch(`/v1/endpoints/${endpointId}`, { active: true });
  expect((await retry(delivery.id)).status).toBe(202);
  expect(numbersOf(await stack.deliveryIn('success', delivery.id))).toEqual([1, 2]);
});

test.each([[{ force: true }], [[]], ['{'], ['null']])('retry with %j is 400', async (body) => {
  const { id } = await aDeliveryIn('success');
  expect((await retry(id, body)).status).toBe(400);
  expect((await stack.api.get(`/v1/deliveries/${id}`)).body.status).toBe('success');
});

test('deliveries are listed by why they ended', async () => {
  stack.receiver.reply(500);
  const [expired, exhausted] = [await aDeliveryIn('failed'), await aDeliveryIn('failed')];
  await stack.prisma.delivery.updateMany({ where: { id: expired.id }, data: { failureReason: 'expired' } });
  const listed = async (query: string) => {
    const { body } = await stack.api.get(`/v1/deliveries?customer_id=${customerId}&${query}`);
    return body.data.map(({ id }: { id: string }) => id);
  };
  expect(await listed('failure_reason=expired')).toEqual([expired.id]);
  expect(await listed('failure_reason=expired&status=failed')).toEqual([expired.id]);
  expect(await listed(`failure_reason=exhausted&endpoint_id=${endpointId}`)).toEqual([exhausted.id]);
  expect(await listed('failure_reason=gone')).toEqual([]);
  const refused = await stack.api.get('/v1/deliveries?failure_reason=nonsense');
  expect(refused).toEqual(aProblem(400, 'invalid_request'));
  expect(refused.body.errors[0].pointer).toBe('/failure_reason');
});
