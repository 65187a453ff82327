import { expect, test } from '@jest/globals';
import { populationStability, stabilityOfShares } from './population-stability.js';

const oneToHundred = Array.from({ length: 100 }, (_, index) => index + 1);

test('half and half becoming a quarter and three quarters is 0.2747', () => {
  // (0.25 − 0.5) ln(0.25 / 0.5) + (0.75 − 0.5) ln(0.75 / 0.5)
  expect(stabilityOfShares([0.5, 0.5], [0.25, 0.75])).toBeCloseTo(0.2747, 4);
  expect(stabilityOfShares([0.25, 0.75], [0.5, 0.5])).toBeCloseTo(0.2747, 4);
});

test('a sample is stable against itself, in whatever order', () => {
  expect(populationStability(oneToHundred, oneToHundred.toReversed())).toBeCloseTo(0, 10);
});

test('the further the values move, the higher the index, and it stays finite when bins are left empty', () => {
  const moved = [5, 20, 60, 1_000].map((by) =>
    populationStability(
      oneToHundred,
      oneToHundred.map((value) => value + by),
    ),
  );
  expect(moved).toEqual(moved.toSorted((a, b) => a - b));
  expect(moved[0]).toBeLessThan(0.1);
  expect(moved[1]).toBeGreaterThan(0.25);
  expect(moved[3]).toBeLessThan(10);
});

test('a value that fills several bins at once makes them one', () => {
  const rainy = [...Array(70).fill(0), ...Array(30).fill(5)];
  const dry = Array(100).fill(0);
  const [before, now] = [
    [70.5, 30.5, 0.5],
    [100.5, 0.5, 0.5],
  ].map((counts) => counts.map((count) => count / 101.5));
  expect(populationStability(rainy, dry)).toBeCloseTo(stabilityOfShares(before ?? [], now ?? []), 10);
});
