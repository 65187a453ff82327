import { expect, test } from '@jest/globals';
import { signatureHeaders } from './signature.js';
import { redactHeaders, signatureHeaderNames, type WebhookHeadersInput, webhookHeaders } from './webhook-headers.js';

const input: WebhookHeadersInput = {
  version: '0.1.0',
  eventType: 'drift.created',
  deliveryId: 'delivery-1',
  attemptNumber: 2,
  body: Buffer.from('{}'),
  webhookId: 'event-1',
  timestampSeconds: 1614265330,
  secrets: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDJu3mUy1xnyA=', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  customHeaders: { 'X-Team': 'claims' },
};

test('an attempt carries our headers, the signatures and the custom headers', () => {
  expect(webhookHeaders(input)).toEqual({
    'X-Team': 'claims',
    'Content-Type': 'application/json',
    'User-Agent': 'Driftwire/0.1.0',
    'X-Webhook-Event': 'drift.created',
    'X-Webhook-Delivery-ID': 'delivery-1',
    'X-Webhook-Attempt': '2',
    ...signatureHeaders(input),
  });
});

test('no custom header replaces one of ours', () => {
  const headers = webhookHeaders({
    ...input,
    customHeaders: { 'Content-Type': 'text/plain', 'X-Signature': 'forged' },
  });
  expect(headers).toEqual(expect.objectContaining({ 'Content-Type': 'application/json', ...signatureHeaders(input) }));
});

test('signatures and values of custom headers can be left out, whatever the case of their names', () => {
  expect(redactHeaders(webhookHeaders(input), ['x-team', ...signatureHeaderNames])).toEqual({
    ...webhookHeaders(input),
    'X-Team': '[redacted]',
    'X-Signature': '[redacted]',
    'X-Signature-Previous': '[redacted]',
    'webhook-signature': '[redacted]',
  });
});
