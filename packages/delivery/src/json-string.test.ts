import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeString, stringEnd } from './json-string.js';

test.each([
  ['"a"', 3],
  ['""', 2],
  ['"a\\"b" "c"', 6],
  ['"\\\\" "c"', 4],
  ['"never', 6],
  ['"never\\', 7],
])('%s ends at %i', (text, end) => {
  expect(stringEnd(text, 0)).toBe(end);
});

test('every string ends where it was written to end, and decodes to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const raw = JSON.stringify(text);
      expect(stringEnd(`${raw}"behind"`, 0)).toBe(raw.length);
      expect(decodeString(raw)).toBe(text);
    }),
  );
});

test('an invalid escape has no meaning', () => {
  expect(decodeString('"\\x41"')).toBeNull();
});
