import { expect, test } from '@jest/globals';
import { median, quantile } from './quantiles.js';

test('a quantile is one of the values, in whatever order they come', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([1, 1, 3, 5, 5]);
  expect(median([1, 2, 3, 4])).toBe(2);
  expect(quantile([], 0.5)).toBeNaN();
});
