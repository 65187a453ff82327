import { expect, test } from '@jest/globals';
import { restAfterLarge } from './accept-in-batches.js';

test.each([
  ['a single event has just come', 40, 20, 80],
  ['the last single event is long ago', 40, 150, 0],
  ['Postgres is slow', 8_000, 20, 500],
])('large requests rest, when %s, after %d ms: %d ms since, so %d ms', (_, tookMs, sinceSmallMs, restMs) => {
  expect(restAfterLarge(tookMs, sinceSmallMs)).toBe(restMs);
});
