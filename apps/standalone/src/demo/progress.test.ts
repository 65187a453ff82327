import { expect, test } from '@jest/globals';
import { writeProgress } from './progress.js';

test('it says what is posted, what is finished and what waits', () => {
  expect(writeProgress({ events: 8, deliveries: 19, finished: 8, waiting: 11 })).toBe(
    '8 drift events posted · 8 of 19 deliveries finished · 11 retries waiting',
  );
  expect(writeProgress({ events: 8, deliveries: 19, finished: 18, waiting: 1 })).toMatch(/1 retry waiting$/);
});
