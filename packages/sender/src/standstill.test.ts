import { expect, test } from '@jest/globals';
import { createStandstill } from './standstill.js';

test.each([
  ['turns that come in time', [250, 500, 250], 0],
  ['a turn that came much too late, once', [250, 31_000, 250], 31_000],
  ['two of them', [501, 100, 600], 1_101],
])('%s', (_, gapsMs, stoodStillMs) => {
  let nowMs = 0;
  const standstill = createStandstill(() => nowMs);
  const stoodStill = standstill.watch();
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    standstill.watch()();
  }
  expect(stoodStill()).toBe(stoodStillMs);
});

test('each is told what happened while it watched; what is before the first and between two is nobody’s', () => {
  let nowMs = 0;
  const standstill = createStandstill(() => nowMs);
  nowMs += 60_000;
  const first = standstill.watch();
  nowMs += 1_000;
  const second = standstill.watch();
  nowMs += 2_000;
  expect(first()).toBe(3_000);
  expect(second()).toBe(2_000);
  nowMs += 60_000;
  expect([first(), second()]).toEqual([3_000, 2_000]);
  expect(standstill.watch()()).toBe(0);
});

test('while somebody watches a turn is taken by itself', async () => {
  let nowMs = 0;
  let asked = 0;
  let stoodStill = () => 0;
  await new Promise<void>((resolve) => {
    const standstill = createStandstill(() => {
      asked += 1;
      if (asked === 6) resolve();
      return nowMs;
    });
    stoodStill = standstill.watch();
  });
  nowMs += 400;
  expect(stoodStill()).toBe(0);
});
