import { until } from '@driftwire/local-servers';
import { expect, test } from '@jest/globals';
import { watchReadingLag } from './reading-lag.js';

test('what is read after a stall may have come since before it; when all is read, only just now', async () => {
  const { arrivedSince, stop } = watchReadingLag();
  const begunAt = Date.now();
  while (Date.now() < begunAt + 100);
  // Timers come first, as when a request is read.
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(arrivedSince()).toBeLessThanOrEqual(begunAt);
  expect(await until(() => Date.now() - arrivedSince() < 50, { deadlineMs: 10_000 })).toBe(true);
  stop();
});
