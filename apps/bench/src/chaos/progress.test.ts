import { expect, test } from '@jest/globals';
import { writeProgress } from './progress.js';

test('one line says how far it is, within a terminal', () => {
  const counts = { acknowledged: 950, events: 2_000, deliveries: 1_900, finished: 1_850, injected: 9, faults: 20 };
  const line = writeProgress({ ...counts, elapsedMs: 31_000, totalMs: 60_000, restarts: 12 });
  expect(line).toBe('0:31/1:00 ██████░░░░░░ 950/2000 events · 1850/1900 deliveries · 9/20 faults · 12 restarts');
  expect(line.length).toBeLessThan(100);
});

test('past the planned end the bar is full', () => {
  const counts = { acknowledged: 1, events: 1, deliveries: 2, finished: 1, injected: 0, faults: 0, restarts: 0 };
  expect(writeProgress({ ...counts, elapsedMs: 90_000, totalMs: 60_000 })).toContain('1:30/1:00 ████████████ 1/1');
});
