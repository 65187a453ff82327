import { expect, test } from '@jest/globals';
import { spread } from './past-deliveries.js';

const total = (chunks: readonly { count: number }[]) => chunks.reduce((sum, { count }) => sum + count, 0);

test.each([1, 2, 59, 1_234_567])('%d events come to as many, half of them today, the days in order', (events) => {
  const chunks = spread(events);
  expect(total(chunks)).toBe(events);
  expect(total(chunks.filter(({ daysAgo }) => daysAgo === 0))).toBe(Math.round(events / 2));
  expect(chunks.map(({ daysAgo }) => daysAgo)).toEqual(chunks.map(({ daysAgo }) => daysAgo).sort((a, b) => b - a));
});

test('no statement adds more events than it should', () => {
  expect(Math.max(...spread(2_500_000).map(({ count }) => count))).toBe(25_000);
});
