import { createHmac } from 'node:crypto';
import { driftData, type Received, type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { header, type PostedDelivery, postDelivery } from './delivery.js';
import { openDatabase } from './open-database.js';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { RETRY_BASE_DELAY_MS: '1000' } });
});
afterAll(() => stack.close());

test('the body has event_type, data and metadata.request_id, and is JSON', async () => {
  const { id, event, requests } = await postDelivery(stack, { endpoint: { headers: { 'X-Team': 'drift' } } });
  await stack.deliveryIn('success', id);
  const [request] = requests();
  expect(JSON.parse(String(request?.body))).toEqual({
    event_type: 'drift.created',
    data: { ...driftData(), delta_value: 0.19 },
    metadata: {
      request_id: event.request_id,
      event_id: event.id,
      occurred_at: expect.any(String),
      created_at: event.created_at,
    },
  });
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': expect.stringMatching(/^Driftwire\/\d/),
    'x-webhook-event': 'drift.created',
    'x-webhook-delivery-id': id,
    'x-webhook-attempt': '1',
    'webhook-id': event.id,
    'x-team': 'drift',
  });
});

test('the attempt on record keeps neither signatures nor the values of custom headers', async () => {
  const { id } = await postDelivery(stack, { endpoint: { headers: { 'X-Team': 'hush' } } });
  const { attempts } = await stack.deliveryIn('success', id);
  expect(attempts[0].request_headers).toMatchObject({
    'X-Team': '[redacted]',
    'X-Signature': '[redacted]',
    'webhook-signature': '[redacted]',
  });
});

test('data arrives as its producer wrote it, and both signatures cover these very bytes', async () => {
  const { customerId, endpoint } = await stack.customerWithEndpoint();
  const data =
    '{ "z": 1.10, "drift_type": "Ätna 漢字", "n": 12345678901234567890, "a": "\\u00e9",' +
    ' "baseline_value": 1, "current_value": 2, "delta_value": 1.0, "severity": 0.5, "confidence": 1 }';
  stack.receiver.reply(200);
  const accepted = await stack.api.post('/v1/drift-events', `{"customer_id":"${customerId}","data":${data}}`);
  await stack.deliveryIn('success', accepted.body.deliveries[0].id);
  const [request] = stack.receiver.requests.filter(({ headers }) => headers['webhook-id'] === accepted.body.id);
  expect(String(request?.body)).toContain(`"data":${data}`);
  expectSigned(request, [endpoint.secret]);
});

test('request_id and webhook-id stay over retries and a manual retry; number, timestamp and signature are fresh', async () => {
  const { id, event, endpoint, requests } = await postDelivery(stack, { replies: [500, 200] });
  await stack.deliveryIn('success', id);
  expect((await stack.api.post(`/v1/deliveries/${id}/retry`)).status).toBe(202);
  await until(() => requests().length === 3);

  expect(requests().map((request) => header(request, 'webhook-id'))).toEqual([event.id, event.id, event.id]);
  expect(requests().map((request) => header(request, 'x-webhook-attempt'))).toEqual(['1', '2', '3']);
  expect(new Set(requests().map(({ body }) => String(body))).size).toBe(1);
  expect(JSON.parse(String(requests()[0]?.body)).metadata.request_id).toBe(event.request_id);
  for (const request of requests()) {
    expectSigned(request, [endpoint.secret]);
    expect(request.at / 1000 - Number(header(request, 'webhook-timestamp'))).toBeLessThan(1.5);
  }
  const [first, second] = requests().map((request) => header(request, 'webhook-signature'));
  expect(second).not.toBe(first);
});

test('a rotation while a delivery waits: both signatures during the overlap, only the new one after it', async () => {
  const posted = await postDelivery(stack, { replies: [500, 200] });
  await until(() => posted.requests().length === 1);
  const rotated = await stack.api.post(`/v1/endpoints/${posted.endpoint.id}/rotate-secret`, {});
  await stack.deliveryIn('success', posted.id);
  await endOverlap(posted);
  await stack.api.post(`/v1/deliveries/${posted.id}/retry`);
  await until(() => posted.requests().length === 3);

  const [before, during, after] = posted.requests();
  expectSigned(before, [posted.endpoint.secret]);
  expectSigned(during, [rotated.body.secret, posted.endpoint.secret]);
  expectSigned(after, [rotated.body.secret]);
});

/** `secrets`, newest first, and no other. */
function expectSigned(request: Received | undefined, secrets: string[]): void {
  if (request === undefined) throw new Error('no request');
  const { body } = request;
  const hmac = (secret: string | undefined) => secret && createHmac('sha256', secret).update(body).digest('hex');
  expect(request.headers['x-signature']).toBe(hmac(secrets[0]));
  expect(request.headers['x-signature-previous']).toBe(hmac(secrets[1]));

  const headers = {
    'webhook-id': header(request, 'webhook-id'),
    'webhook-timestamp': header(request, 'webhook-timestamp'),
  };
  const signatures = header(request, 'webhook-signature').split(' ');
  expect(signatures).toHaveLength(secrets.length);
  secrets.forEach((secret, index) => {
    const signature = signatures[index] ?? '';
    new Webhook(secret).verify(body, { ...headers, 'webhook-signature': signature }, { jsonParse: false });
  });
}

async function endOverlap({ endpoint }: PostedDelivery): Promise<void> {
  const database = openDatabase(stack);
  await database.prisma.$executeRaw`
    UPDATE endpoints SET previous_secret_expires_at = now() - interval '1 s' WHERE id = ${endpoint.id}::uuid`;
  await database.close();
}
