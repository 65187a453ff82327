import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from './signature.js';

const older = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const newer = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDJu3mUy1xnyA=';

/** From the test suites of the standard-webhooks repository ("sign function works"). */
const published = {
  body: Buffer.from('{"test": 2432232314}'),
  webhookId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampSeconds: 1614265330,
  secrets: [older] as const,
};

test('the published vector of Standard Webhooks', () => {
  expect(signatureHeaders(published)).toMatchObject({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('X-Signature is the lower-case hex HMAC-SHA256 of the exact body, keyed with the whole text of the secret', () => {
  const body = Buffer.from('{"note":"Zażółć 🦆"}');
  expect(signatureHeaders({ ...published, body })['X-Signature']).toBe(plainHmac(body, older));
});

test('without a rotation there is no previous signature', () => {
  expect(Object.keys(signatureHeaders(published))).toEqual([
    'X-Signature',
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
  ]);
});

test('during a rotation both secrets sign, newest first', () => {
  const headers = signatureHeaders({ ...published, secrets: [newer, older] });
  expect(headers['X-Signature']).toBe(plainHmac(published.body, newer));
  expect(headers['X-Signature-Previous']).toBe(plainHmac(published.body, older));
  expect(headers['webhook-signature']).toBe(`${standardSign(newer)} ${standardSign(older)}`);
});

test('a retry has the same id, a new timestamp and a new signature', () => {
  const first = signatureHeaders(published);
  const retry = signatureHeaders({ ...published, timestampSeconds: published.timestampSeconds + 120 });
  expect(retry['webhook-id']).toBe(first['webhook-id']);
  expect(retry['webhook-timestamp']).not.toBe(first['webhook-timestamp']);
  expect(retry['webhook-signature']).not.toBe(first['webhook-signature']);
  expect(retry['X-Signature']).toBe(first['X-Signature']);
});

test.each([newer, older])('the published library verifies a multi-byte body with %s', (secret) => {
  const body = Buffer.from('{"payer":"Żółć 🦆","n":1.10}');
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headers = signatureHeaders({ body, webhookId: 'evt_1', timestampSeconds, secrets: [newer, older] });
  expect(new Webhook(secret).verify(body.toString(), headers)).toEqual(JSON.parse(body.toString()));
});

function plainHmac(body: Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

function standardSign(secret: string): string {
  const at = new Date(published.timestampSeconds * 1000);
  return new Webhook(secret).sign(published.webhookId, at, published.body.toString());
}
