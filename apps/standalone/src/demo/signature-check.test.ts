import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { findSignatureProblem } from './signature-check.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

test('what is signed both ways verifies, multi-byte characters included', () => {
  const { body, headers } = aSignedWebhook();
  expect(findSignatureProblem(body, headers, secret)).toBeUndefined();
});

test('one changed byte, another secret or an old timestamp does not verify', () => {
  const { body, headers } = aSignedWebhook();
  const changed = Buffer.from(body.toString().replace('8.0', '8.1'));
  expect(findSignatureProblem(changed, headers, secret)).toBe('standardwebhooks: No matching signature found');
  expect(findSignatureProblem(body, headers, other)).toBe('standardwebhooks: No matching signature found');
  const old = { ...headers, 'webhook-timestamp': '1700000000' };
  expect(findSignatureProblem(body, old, secret)).toBe('standardwebhooks: Message timestamp too old');
  expect(findSignatureProblem(body, {}, secret)).toBe('standardwebhooks: Missing required headers');
});

test.each([
  ['missing', undefined],
  ['cut short', 'abc'],
  ['of another body', 'f'.repeat(64)],
])('an X-Signature that is %s is found although the other signature is right', (_, signature) => {
  const { body, headers } = aSignedWebhook();
  expect(findSignatureProblem(body, { ...headers, 'x-signature': signature }, secret)).toBe(
    'X-Signature is not the HMAC-SHA256 of the body',
  );
});

function aSignedWebhook() {
  const body = Buffer.from('{"unit":"°C","value":8.0}');
  const at = new Date();
  return {
    body,
    headers: {
      'webhook-id': 'event',
      'webhook-timestamp': `${Math.floor(at.getTime() / 1_000)}`,
      'webhook-signature': new Webhook(secret).sign('event', at, body.toString()),
      'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
    },
  };
}
