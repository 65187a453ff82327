import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { generateApiKey, parseApiKey } from './api-key.js';

const ID = '01890000-0000-7000-8000-00000000beef';

test('a key parses into its id and a secret that hashes to what is stored', () => {
  const { key, secretHash } = generateApiKey(ID);
  const parsed = parseApiKey(key);
  expect(parsed?.id).toBe(ID);
  const hash = createHash('sha256')
    .update(parsed?.secret ?? '')
    .digest();
  expect(Buffer.from(secretHash)).toEqual(hash);
});

test('two keys for one id have nothing but the id in common', () => {
  expect(generateApiKey(ID).key).not.toBe(generateApiKey(ID).key);
});

test.each(['', 'dw_', 'secret', `dw_${ID}_${'a'.repeat(43)}`])('%p is no key', (text) => {
  expect(parseApiKey(text)).toBeNull();
});

test.each([
  ['shorter', (key: string) => key.slice(0, -1)],
  ['longer', (key: string) => `${key}a`],
  ['behind a space', (key: string) => ` ${key}`],
  ['with a newline', (key: string) => `${key}\n`],
  ['in upper case', (key: string) => key.toUpperCase()],
])('a key %s is none', (_, change) => {
  expect(parseApiKey(change(generateApiKey(ID).key))).toBeNull();
});
