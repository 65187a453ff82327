import { expect, test } from '@jest/globals';
import { decideRestart } from './restart-policy.js';

test('a child that lived a second starts again at once, whatever came before', () => {
  expect(decideRestart(1_000, 0)).toEqual({ delayMs: 0, quickDeaths: 0 });
  expect(decideRestart(60_000, 7)).toEqual({ delayMs: 0, quickDeaths: 0 });
});

test('quick deaths in a row wait longer each time, within bounds and without limit', () => {
  const delays: number[] = [];
  for (let quickDeaths = 0; quickDeaths < 2_000; ) {
    const restart = decideRestart(999, quickDeaths);
    delays.push(restart.delayMs);
    quickDeaths = restart.quickDeaths;
  }
  expect(delays.slice(0, 7)).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(Math.max(...delays)).toBe(5_000);
});
