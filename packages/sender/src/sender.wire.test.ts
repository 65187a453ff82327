import { createHmac } from 'node:crypto';
import { driftEventBody } from '@driftwire/delivery';
import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { anOlderSecret, aSecret, aWebhookRequest } from '../test/webhook-requests.js';
import { useWireReceiver } from '../test/wire-receiver.js';
import { createSender, type WebhookRequest } from './index.js';

const wire = useWireReceiver('https://receiver.example.com', '/hook');

test('POST with Content-Type application/json and the exact body bytes', async () => {
  const dataText = '{ "z": 1.10,  "a": 12345678901234567890 }';
  const [request] = await sent({ body: aBody(dataText) });
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Driftwire/0.1.0',
    'x-webhook-event': 'drift.created',
    'x-webhook-delivery-id': '019a0000-0000-7000-8000-000000000001',
    'x-webhook-attempt': '1',
  });
  expect(request?.headers).not.toHaveProperty('accept-encoding');
  expect(request?.body).toBe(aBody(dataText).toString());
});

test('the payload has event_type, data and metadata.request_id', async () => {
  const [request] = await sent({ body: aBody('{"drift_type":"DENIAL_RATE"}') });
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    event_type: 'drift.created',
    data: { drift_type: 'DENIAL_RATE' },
    metadata: { request_id: '019a0000-0000-7000-8000-000000000003' },
  });
});

test('X-Signature is a valid HMAC-SHA256 of the exact body', async () => {
  const [request] = await sent({ body: aBody('{}') });
  const expected = createHmac('sha256', aSecret).update(aBody('{}')).digest('hex');
  expect(request?.headers['x-signature']).toBe(expected);
});

test('the published standardwebhooks library verifies the headers, with the old secret too during a rotation', async () => {
  const [request] = await sent({ secrets: [aSecret, anOlderSecret] }, Date.now());
  for (const secret of [aSecret, anOlderSecret]) {
    expect(new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})).toEqual({});
  }
  const previous = createHmac('sha256', anOlderSecret).update('{}').digest('hex');
  expect(request?.headers['x-signature-previous']).toBe(previous);
});

test('a multi-byte body: Content-Length counts bytes and the signature verifies', async () => {
  const body = aBody('{"payer":"Krankenkasse Übermäßig 医療 🩺"}');
  const [request] = await sent({ body }, Date.now());
  expect(request?.headers['content-length']).toBe(String(body.length));
  expect(body.length).toBeGreaterThan(body.toString().length);
  expect(new Webhook(aSecret).verify(request?.body ?? '', request?.headers ?? {})).toBeTruthy();
});

test('a retry has the same webhook-id, a new timestamp and a new signature', async () => {
  const heard = wire.answer({ status: 500 }, { status: 200 });
  let nowMs = Date.parse('2026-01-31T00:00:00.900Z');
  const sender = aSender(() => nowMs);
  await sender.send(aWebhookRequest({ attemptNumber: 1 }));
  nowMs += 120_000;
  await sender.send(aWebhookRequest({ attemptNumber: 2 }));
  const [first, second] = heard;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(heard.map(({ headers }) => headers['webhook-timestamp'])).toEqual(['1769817600', '1769817720']);
  expect(second?.headers['webhook-signature']).not.toBe(first?.headers['webhook-signature']);
  expect(second?.headers['x-signature']).toBe(first?.headers['x-signature']);
  expect(heard.map(({ headers }) => headers['x-webhook-attempt'])).toEqual(['1', '2']);
});

test('custom headers are sent, and cannot replace one of ours', async () => {
  const [request] = await sent({ customHeaders: { 'X-Team': 'claims', 'content-type': 'text/plain' } });
  expect(request?.headers).toMatchObject({ 'x-team': 'claims', 'content-type': 'application/json' });
});

test('the report shows what was sent, without the values of custom headers', async () => {
  wire.answer({ status: 200 });
  const { requestHeaders } = await aSender().send(
    aWebhookRequest({ customHeaders: { Authorization: 'Bearer s3cret' } }),
  );
  expect(requestHeaders).toMatchObject({
    Authorization: '[redacted]',
    'webhook-signature': expect.stringMatching(/^v1,/),
    'webhook-id': '019a0000-0000-7000-8000-000000000002',
  });
});

test.each([200, 201, 204, 299, 301, 304, 400, 404, 410, 500, 502])(
  'a %i is a response with that status',
  async (status) => {
    wire.answer({ status, body: status === 204 || status === 304 ? '' : 'body' });
    const report = await aSender().send(aWebhookRequest());
    expect(report.outcome).toEqual({ kind: 'response', status, retryAfterMs: null });
    expect(report.response?.status).toBe(status);
    expect(report.error).toBeNull();
  },
);

test.each([
  [429, '30', 30_000],
  [503, '30', 30_000],
  [503, 'Sat, 31 Jan 2026 00:01:00 GMT', 60_000],
  [503, 'Fri, 30 Jan 2026 00:00:00 GMT', 0],
  [429, '-5', null],
  [429, 'NaN', null],
  [429, '1000000000000', 2 ** 31 * 1000],
  [200, '30', 30_000],
])('%i with Retry-After %s asks for a wait of %s ms', async (status, retryAfter, retryAfterMs) => {
  wire.answer({ status, headers: { 'Retry-After': retryAfter } });
  const sender = aSender(() => Date.parse('2026-01-31T00:00:00Z'));
  expect((await sender.send(aWebhookRequest())).outcome).toEqual({ kind: 'response', status, retryAfterMs });
});

test('a secret that cannot sign is a bug: send rejects and nothing is sent', async () => {
  await expect(aSender().send(aWebhookRequest({ secrets: ['whsec_'] }))).rejects.toThrow('not a webhook secret');
});

function aSender(now: () => number = Date.now) {
  const addressPolicy = { allowPrivate: false, ports: [443] };
  const sender = createSender({ version: '0.1.0', addressPolicy, timeoutMs: 2000 });
  return { send: (request: WebhookRequest) => sender.send(request, undefined, now) };
}

async function sent(request: Parameters<typeof aWebhookRequest>[0], nowMs = 0) {
  const heard = wire.answer({ status: 200 });
  await aSender(() => nowMs).send(aWebhookRequest(request));
  return [...heard];
}

function aBody(dataText: string): Buffer {
  return Buffer.from(
    driftEventBody({
      eventType: 'drift.created',
      dataText,
      requestId: '019a0000-0000-7000-8000-000000000003',
      eventId: '019a0000-0000-7000-8000-000000000002',
      occurredAt: '2026-01-31T00:00:00Z',
      createdAt: '2026-01-31T00:00:01Z',
    }),
  );
}
