import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { storableText } from './storable-text.js';

test('NUL, lone surrogates and invalid UTF-8 become U+FFFD; all else stays', () => {
  expect(storableText('a\0b\ud800c\udc00d🦆\n\x01')).toBe('a\uFFFDb\uFFFDc\uFFFDd🦆\n\x01');
  expect(storableText(Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x62]))).toMatch(
    /^a\uFFFD{2,3}\(\uFFFD+b$/,
  );
  expect(storableText(Buffer.from('\uFEFFż'))).toBe('\uFEFFż');
});

test('a byte that never completes a character is replaced when the body ends there', () => {
  expect(storableText(Buffer.from([0x61, 0xf0, 0x9f]))).toBe('a\uFFFD');
});

test.each([
  [1, ''],
  [2, 'ż'],
  [5, 'ż'],
  [6, 'ż🦆'],
  [7, 'ż🦆a'],
  [99, 'ż🦆a'],
])('a cut at %i bytes falls between characters', (maxBytes, text) => {
  expect(storableText('ż🦆a', maxBytes)).toBe(text);
  expect(storableText(Buffer.from('ż🦆a'), maxBytes)).toBe(text);
});

test('a body whose reader stopped inside a character just ends before it', () => {
  expect(storableText(Buffer.from('aaż').subarray(0, 3), 3)).toBe('aa');
});

test('whatever came in, the text is well formed, without NUL, within its bytes, and stable', () => {
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(input, fc.nat({ max: 64 }), (bytes, maxBytes) => {
      const text = storableText(bytes, maxBytes);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
      expect(text).not.toMatch(/[\0\p{Surrogate}]/u);
      expect(storableText(text)).toBe(text);
    }),
  );
});
