import { expect, test } from '@jest/globals';
import { mostWithin } from './most-within.js';

test('the fullest span counts, wherever it begins; what comes at its end is in the next', () => {
  expect(mostWithin([0, 400, 900, 1_000, 1_300, 1_899, 3_000], 1_000)).toBe(4);
  expect(mostWithin([0, 1_000, 2_000], 1_000)).toBe(1);
  expect(mostWithin([], 1_000)).toBe(0);
});
