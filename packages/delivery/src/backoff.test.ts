import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { longestDelayMs, retryDelayMs } from './backoff.js';

const HOUR_MS = 3_600_000;
const policy = { baseDelayMs: 120_000 };

test.each([
  [1, 120_000],
  [2, 240_000],
  [3, 480_000],
  [4, 960_000],
  [5, 1_920_000],
  [6, HOUR_MS],
  [10_000, HOUR_MS],
])('after %i failed attempts the wait without jitter is %i ms', (failedAttempts, delayMs) => {
  expect(retryDelayMs(failedAttempts, policy, 0)).toBe(delayMs);
});

test('full jitter adds 20 %', () => {
  expect(retryDelayMs(1, policy, 1)).toBe(144_000);
  expect(retryDelayMs(2, policy, 0.5)).toBe(264_000);
});

test('a base longer than an hour is the cap itself', () => {
  expect(retryDelayMs(3, { baseDelayMs: 2 * HOUR_MS }, 1)).toBe(2 * HOUR_MS);
  expect(longestDelayMs({ baseDelayMs: 2 * HOUR_MS })).toBe(2 * HOUR_MS);
});

test('the wait is always whole milliseconds within [base, max(1 h, base)]', () => {
  fc.assert(
    fc.property(anAttemptCount(), aBase(), aChance(), (failedAttempts, baseDelayMs, jitter) => {
      const delayMs = retryDelayMs(failedAttempts, { baseDelayMs }, jitter);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(baseDelayMs);
      expect(delayMs).toBeLessThanOrEqual(Math.max(HOUR_MS, baseDelayMs));
    }),
  );
});

test('whatever the jitter, each wait is longer than the one before until the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), aBase(), aChance(), aChance(), (attempts, baseDelayMs, a, b) => {
      const earlier = retryDelayMs(attempts, { baseDelayMs }, a);
      const later = retryDelayMs(attempts + 1, { baseDelayMs }, b);
      expect(later > earlier || later === longestDelayMs({ baseDelayMs })).toBe(true);
    }),
  );
});

function anAttemptCount() {
  return fc.integer({ min: 1, max: 100_000 });
}

function aBase() {
  return fc.integer({ min: 1, max: 10 * HOUR_MS });
}

function aChance() {
  return fc.double({ min: 0, max: 1, noNaN: true });
}
