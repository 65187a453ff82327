import { expect, test } from '@jest/globals';
import { createBodyStart } from './body-start.js';

test('the first 4 KiB are kept, whatever the size of the chunks', () => {
  for (const sizes of [[10_000], [4095, 2, 10], [1, 4096], Array.from({ length: 50 }, () => 100)]) {
    const body = createBodyStart();
    for (const size of sizes) body.take(Buffer.alloc(size, 'x'));
    expect(body.read().start.toString()).toBe('x'.repeat(4096));
    expect(body.read().readBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  }
});

test('reading on is pointless from 64 KiB', () => {
  const body = createBodyStart();
  expect(body.take(Buffer.alloc(64 * 1024 - 1))).toBe('more');
  expect(body.take(Buffer.alloc(1))).toBe('enough');
});
