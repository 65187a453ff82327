import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
});
beforeEach(async () => {
  customer = await aCustomer(stack);
  stack.receiver.requests.length = 0;
  stack.receiver.reply({ status: 202, body: 'thanks' });
});
afterAll(() => stack.close());

async function testOf(endpoint: object = {}, body?: unknown) {
  const given = { name: 'one', url: stack.receiver.url, ...endpoint };
  const { id } = (await customer.admin.post('/v1/endpoints', given)).body;
  return { id, answer: await customer.admin.post(`/v1/endpoints/${id}/test`, body) };
}

test('a test sends one signed webhook.test and answers what was sent and what came back', async () => {
  const { answer } = await testOf();
  expect(answer.status).toBe(200);
  const { request, outcome } = answer.body;
  const kind = { kind: 'response', response_code: 202, response_body: 'thanks', error: null };
  expect(outcome).toEqual({ ...kind, duration_ms: expect.any(Number) });
  const [received, ...more] = stack.receiver.requests;
  expect(more).toEqual([]);
  expect(received?.body.toString()).toBe(request.body);
  expect(JSON.parse(request.body)).toMatchObject({
    event_type: 'webhook.test',
    metadata: { request_id: expect.any(String) },
  });
  expect(received?.headers).toMatchObject({ 'x-webhook-event': 'webhook.test', 'x-signature': expect.any(String) });
  expect(request.headers).toMatchObject({ 'Content-Type': 'application/json', 'X-Webhook-Event': 'webhook.test' });
});

test('custom headers are sent, and their values redacted in the answer', async () => {
  const { answer } = await testOf({ headers: { Authorization: 'Bearer hush' } });
  expect(stack.receiver.requests[0]?.headers.authorization).toBe('Bearer hush');
  expect(answer.body.request.headers.Authorization).toBe('[redacted]');
  expect(answer.text).not.toContain('hush');
});

test('the answer shows the signatures that were sent, so that a receiver can compare its own', async () => {
  const { answer } = await testOf();
  const received = stack.receiver.requests[0]?.headers;
  expect(answer.body.request.headers['X-Signature']).toBe(received?.['x-signature']);
  expect(answer.body.request.headers['webhook-signature']).toBe(received?.['webhook-signature']);
});

test.each([
  ['a 500', () => stack.receiver.reply(500), { kind: 'response', response_code: 500 }],
  ['a 410', () => stack.receiver.reply(410), { kind: 'response', response_code: 410 }],
  ['silence', () => stack.receiver.reply('hang'), { kind: 'timeout', response_code: null }],
])('%s is an outcome, and changes nothing', async (_, reply, outcome) => {
  reply();
  const { id, answer } = await testOf();
  expect(answer.body.outcome).toMatchObject(outcome);
  const endpoint = await customer.viewer.get(`/v1/endpoints/${id}`);
  expect(endpoint.body).toMatchObject({ active: true, inactive_reason: null, version: 1 });
  expect(await stack.prisma.delivery.count()).toBe(0);
  expect(await stack.prisma.attempt.count()).toBe(0);
  expect(await stack.prisma.driftEvent.count()).toBe(0);
});

test('a refused connection is an outcome', async () => {
  const { answer } = await testOf({ url: 'http://127.0.0.1:1' });
  expect(answer.body.outcome).toMatchObject({ kind: 'refused', response_code: null, error: expect.any(String) });
});

test('an inactive endpoint can be tested', async () => {
  const { id, answer } = await testOf({ active: false }, {});
  expect(answer.body.outcome.response_code).toBe(202);
  expect((await customer.viewer.get(`/v1/endpoints/${id}`)).body.active).toBe(false);
});

test('a body other than {} is 400, and nothing is sent', async () => {
  const { answer } = await testOf({}, { url: 'http://elsewhere' });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(stack.receiver.requests).toEqual([]);
});
