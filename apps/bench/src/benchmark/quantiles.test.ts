import { expect, test } from '@jest/globals';
import { median, medianInterval, quantile } from './quantiles.js';

test('a quantile is one of the values, in whatever order they come', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([1, 1, 3, 5, 5]);
  expect(median([1, 2, 3, 4])).toBe(2);
  expect(quantile([], 0.5)).toBeNaN();
});

test('the interval of a median leaves out as many values at either end as the sign test allows', () => {
  const values = [7, 1, 9, 3, 10, 4, 8, 2, 6, 5];
  expect(medianInterval(values)).toEqual({ from: 2, to: 9 });
  expect(medianInterval(values.slice(0, 6))).toEqual({ from: 1, to: 10 });
  expect(medianInterval(values.slice(0, 5))).toBeUndefined();
});
