import { expect, test } from '@jest/globals';
import { JOB_GRACE_MS, jobGraceMs } from './job-grace.js';

test('without a backlog a job is looked for after the grace', () => {
  expect(jobGraceMs(0)).toBe(JOB_GRACE_MS);
});

test('behind a backlog it is looked for later, but never later than a job that is known to wait', () => {
  expect(jobGraceMs(10_000)).toBe(35_000);
  expect(jobGraceMs(86_400_000)).toBe(900_000);
});
