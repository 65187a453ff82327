import { afterEach, expect, test } from '@jest/globals';
import { type Standstill, watchStandstill } from './standstill.js';

let standstill: Standstill;
afterEach(() => standstill.end());

test.each([
  ['turns that come in time', [250, 500, 250], 0],
  ['a turn that came much too late, once', [250, 31_000, 250], 31_000],
  ['two of them', [501, 100, 600], 1_101],
])('%s', (_, gapsMs, stoodStillMs) => {
  let nowMs = 0;
  standstill = watchStandstill(() => nowMs);
  for (const gapMs of gapsMs) {
    nowMs += gapMs;
    standstill.ms();
  }
  expect(standstill.ms()).toBe(stoodStillMs);
});

test('a turn is taken by itself while nobody asks', async () => {
  let nowMs = 0;
  let asked = 0;
  const turns = new Promise<void>((resolve) => {
    standstill = watchStandstill(() => {
      asked += 1;
      if (asked === 4) resolve();
      return nowMs;
    });
  });
  await turns;
  nowMs += 400;
  expect(standstill.ms()).toBe(0);
});
