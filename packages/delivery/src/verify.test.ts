import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { verifyWebhook, type WebhookToVerify } from './verify.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const otherSecret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDJu3mUy1xnyA=';
const sentAt = 1614265330;
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const strange = 'Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=';

/** The published vector of the standard-webhooks repository, as a receiver gets it. */
function setup(headers: WebhookToVerify['headers'] = {}, overrides: Partial<WebhookToVerify> = {}) {
  const standard = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': String(sentAt),
    'webhook-signature': signature,
  };
  const body = '{"test": 2432232314}';
  return verifyWebhook({
    body,
    headers: { ...standard, ...headers },
    secrets: [secret],
    nowSeconds: sentAt,
    ...overrides,
  });
}

const verified = { ok: true, webhookId: 'msg_p5jXN8AQM9LWM0D4loKWxJek' };

test('the published vector verifies, as text and as bytes', () => {
  expect(setup()).toEqual(verified);
  expect(setup({}, { body: Buffer.from('{"test": 2432232314}') })).toEqual(verified);
});

test('any live secret verifies', () => {
  expect(setup({}, { secrets: [otherSecret, secret] })).toEqual(verified);
});

test('one good signature among several is enough; unknown versions are skipped', () => {
  const list = `v1,${strange} v1a,${strange} v2,${strange} ${signature} v1,`;
  expect(setup({ 'webhook-signature': list })).toEqual(verified);
  expect(setup({ 'webhook-signature': ['v1,', signature] })).toEqual(verified);
});

test('header names may be in any case', () => {
  const headers = {
    'Webhook-Id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'WEBHOOK-TIMESTAMP': String(sentAt),
    'Webhook-Signature': signature,
  };
  const body = '{"test": 2432232314}';
  expect(verifyWebhook({ body, headers, secrets: [secret], nowSeconds: sentAt })).toEqual(verified);
});

test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s it is refused', (name) => {
  expect(setup({ [name]: undefined })).toEqual({ ok: false, reason: 'missing_header' });
});

test.each(['hello', '-1', '1e9', '1614265330.5', ' 1614265330', 'NaN'])('timestamp %j is refused', (timestamp) => {
  expect(setup({ 'webhook-timestamp': timestamp })).toEqual({ ok: false, reason: 'bad_timestamp' });
});

test('five minutes either way are tolerated, a second more is not', () => {
  expect(setup({}, { nowSeconds: sentAt + 300 })).toEqual(verified);
  expect(setup({}, { nowSeconds: sentAt - 300 })).toEqual(verified);
  expect(setup({}, { nowSeconds: sentAt + 301 })).toEqual({ ok: false, reason: 'too_old' });
  expect(setup({}, { nowSeconds: sentAt - 301 })).toEqual({ ok: false, reason: 'too_new' });
  expect(setup({}, { nowSeconds: sentAt + 11, toleranceSeconds: 10 })).toEqual({ ok: false, reason: 'too_old' });
});

test.each([
  ['another body', {}, { body: '{"test":2432232314}' }],
  ['another secret', {}, { secrets: [otherSecret] }],
  ['no secret', {}, { secrets: [] }],
  ['another id', { 'webhook-id': 'msg_other' }, {}],
  ['another timestamp', { 'webhook-timestamp': String(sentAt + 1) }, {}],
  ['another signature', { 'webhook-signature': `v1,${strange}` }, {}],
  ['a cut signature', { 'webhook-signature': signature.slice(0, 8) }, {}],
  ['an empty signature', { 'webhook-signature': 'v1,' }, {}],
  ['the right signature under another version', { 'webhook-signature': signature.replace('v1,', 'v1a,') }, {}],
  ['the right signature without a version', { 'webhook-signature': signature.slice(3) }, {}],
])('%s does not match', (_, headers, overrides) => {
  expect(setup(headers, overrides)).toEqual({ ok: false, reason: 'no_match' });
});

test('a malformed secret is the receiver’s own mistake and throws', () => {
  expect(() => setup({}, { secrets: [''] })).toThrow(TypeError);
});

test('what the published library signs verifies, and one changed byte never does', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.nat(), (body, position) => {
      const webhookId = 'evt_1';
      const signed = new Webhook(secret).sign(webhookId, new Date(sentAt * 1000), body);
      const headers = { 'webhook-id': webhookId, 'webhook-timestamp': String(sentAt), 'webhook-signature': signed };
      const bytes = Buffer.from(body);
      const check = () => verifyWebhook({ body: bytes, headers, secrets: [secret], nowSeconds: sentAt }).ok;
      expect(check()).toBe(true);
      bytes.writeUInt8(bytes.readUInt8(position % bytes.length) ^ 1, position % bytes.length);
      expect(check()).toBe(false);
    }),
  );
});
