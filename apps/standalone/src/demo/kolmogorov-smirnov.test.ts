import { expect, test } from '@jest/globals';
import { kolmogorovSmirnov, kolmogorovTail } from './kolmogorov-smirnov.js';

test.each([
  [0.1, 1],
  [1.2238, 0.1],
  [1.3581, 0.05],
  [1.6276, 0.01],
])('the critical value %d belongs to the level %d', (x, level) => {
  expect(kolmogorovTail(x)).toBeCloseTo(level, 4);
});

test('the statistic is the largest gap between the distribution functions', () => {
  expect(kolmogorovSmirnov([1, 2, 3, 4], [3, 4, 5, 6]).statistic).toBe(0.5);
  expect(kolmogorovSmirnov([1, 2], [3, 4]).statistic).toBe(1);
  expect(kolmogorovSmirnov([0, 0, 0, 1], [0, 0, 1, 1]).statistic).toBe(0.25);
});

test('the p-value is what scipy.stats.ks_2samp says', () => {
  const one = Array.from({ length: 100 }, (_, index) => index);
  const shifted = (by: number) => one.map((value) => value + by);
  expect(kolmogorovSmirnov(one, one).pValue).toBe(1);
  // Between scipy's exact 0.2112 and its asymptotic 0.1903.
  expect(kolmogorovSmirnov(one, shifted(15)).pValue).toBeCloseTo(0.2, 1);
  expect(kolmogorovSmirnov(one, shifted(30)).pValue).toBeLessThan(0.001);
});
