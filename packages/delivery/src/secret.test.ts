import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { generateSecret, isSecret, secretKey } from './secret.js';

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

test('a generated secret is whsec_ and the base64 of the 32 bytes it was given', () => {
  const secret = generateSecret((size) => Buffer.alloc(size, 1));
  expect(secret).toBe('whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=');
  expect(secretKey(secret)).toEqual(Buffer.alloc(32, 1));
  expect(isSecret(generateSecret(randomBytes))).toBe(true);
});

test.each([24, 25, 32, 63, 64])('%i bytes make a secret', (bytes) => {
  expect(isSecret(secretOf(bytes))).toBe(true);
});

test.each([0, 1, 23, 65, 1000])('%i bytes make no secret', (bytes) => {
  expect(isSecret(secretOf(bytes))).toBe(false);
});

test.each([
  ['without prefix', secretOf(32).slice(6)],
  ['with another prefix', secretOf(32).replace('whsec_', 'WHSEC_')],
  ['without padding', secretOf(32).replace('=', '')],
  ['with stray bits behind the last byte', 'whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF='],
  ['in base64url', `whsec_${Buffer.alloc(32, 0xff).toString('base64url')}`],
  ['with a space', `${secretOf(32)} `],
  ['with a line break', secretOf(32).replace('BwcH', 'Bw\ncH')],
  ['that is no base64', 'whsec_********************************'],
])('a secret %s is refused, and throws instead of signing', (_, text) => {
  expect(isSecret(text)).toBe(false);
  expect(() => secretKey(text)).toThrow(TypeError);
});

test('the error does not tell the secret', () => {
  expect(() => secretKey('whsec_hunter2')).toThrow(/^(?!.*hunter2)/);
});
