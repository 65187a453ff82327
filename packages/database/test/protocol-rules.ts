import { expect } from '@jest/globals';
import type { Setup } from './setup.js';

/** A delivery's row with its attempts. */
export type Row = Awaited<ReturnType<Setup['delivery']>>;

const MAX_STARTS = 10;
const isUnfinished = ({ status }: Row) => status === 'pending' || status === 'retrying';
const isLater = (time: Date | null, now: Date) => time !== null && time.getTime() > now.getTime() + 1_000;

/** What a claim must answer, by the words of the protocol. Times are a second in the past or a minute in the future. */
export function expectedVerdict(
  row: Row,
  job: { generation: number; active: boolean; circuitIsOpen: boolean; isGranted: boolean; now: Date },
): string {
  if (!isUnfinished(row)) return 'finished';
  if (job.generation < row.generation || row.holdReason !== null) return 'superseded';
  if (isLater(row.leaseExpiresAt, job.now) || isLater(row.nextAttemptAt, job.now)) return 'wait';
  if (isLater(row.grantedUntil, job.now) && !job.isGranted) return 'wait';
  if (!job.active) return 'endpoint_inactive';
  if (job.circuitIsOpen && !isLater(row.grantedUntil, job.now)) return 'circuit_open';
  return row.starts >= MAX_STARTS ? 'indeterminate' : 'claimed';
}

/** The holder of the fence moves the delivery; a late success ends it; anything else that is late changes nothing. */
export function expectRecordRule(before: Row, after: Row, record: { number: number; isSuccess: boolean }): void {
  const holds = before.fence === record.number && before.leaseExpiresAt !== null;
  if (record.isSuccess && (holds || !before.attempts.some(isRecorded(record.number)))) {
    expect(after.status).toBe('success');
  } else if (!holds) {
    expect({ ...after, attempts: [] }).toEqual({ ...before, attempts: [] });
  }
  if (holds) expect(after.leaseExpiresAt).toBeNull();
  // What is retried is due at a time of its own, so it leaves its bundle; nothing else gets another job.
  const leaves = holds && after.status === 'retrying' && before.jobId !== null;
  expect(after.generation).toBe(before.generation + Number(leaves));
}

function isRecorded(number: number) {
  return (attempt: Row['attempts'][number]) =>
    attempt.number === number && (attempt.outcome !== 'unknown' || attempt.responseCode !== null);
}

export function expectInvariants(before: Row, after: Row, command: string): void {
  expectWholeState(after);
  expectAttempts(after);
  if (before.status === 'success' && command !== 'retry') expect(after.status).toBe('success');
  expectGenerationWithItsJob(before, after);
  expect(after.round).toBeGreaterThanOrEqual(before.round);
  // A claim that was given back unused gives its number back, too.
  if (command !== 'release') expect(after.fence).toBeGreaterThanOrEqual(before.fence);
  expect(after.attempts.length).toBeGreaterThanOrEqual(before.attempts.length);
}

/** Who raises the generation gives the delivery another job, and nobody else does. */
function expectGenerationWithItsJob(before: Row, after: Row): void {
  expect(after.generation).toBeGreaterThanOrEqual(before.generation);
  // What is held has none, and takes the next generation when it is let go.
  if (after.holdReason !== null) expect([after.generation, after.jobId]).toEqual([before.generation, null]);
  else if (after.generation === before.generation && before.holdReason === null) expect(after.jobId).toBe(before.jobId);
  else if (after.jobId !== null) expect(after.jobId).not.toBe(before.jobId);
}

function expectWholeState(row: Row): void {
  expect(row.recoverAt !== null || row.holdReason !== null).toBe(isUnfinished(row));
  expect(row.nextAttemptAt === null).toBe(row.recoverAt === null);
  if (row.holdReason !== null) expect([row.recoverAt, row.leaseExpiresAt, row.jobId]).toEqual([null, null, null]);
  expect(row.completedAt === null).toBe(isUnfinished(row));
  expect(row.starts).toBeLessThanOrEqual(MAX_STARTS);
  expect(row.failedCount).toBeLessThanOrEqual(row.maxAttempts);
  // The longest wait here is a minute, and the grace: nothing may ever sleep longer than it has to.
  if (row.recoverAt !== null) expect(row.recoverAt.getTime() - Date.now()).toBeLessThan(66_000);
}

/** Numbered without gaps, up to the fence; only the current one may be missing, while it is in flight or lost. */
function expectAttempts(row: Row): void {
  const numbers = row.attempts.map(({ number }) => number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  const started = row.starts > 0 ? row.fence : row.fence - 1;
  expect(started - numbers.length).toBeGreaterThanOrEqual(0);
  expect(started - numbers.length).toBeLessThanOrEqual(row.leaseExpiresAt === null ? 0 : 1);
  const failed = row.attempts.filter(
    ({ round, outcome, responseCode }) => round === row.round && outcome !== 'unknown' && responseCode !== 200,
  );
  // An attempt that was overtaken by a success is on record and counts for nothing.
  if (row.status !== 'success') expect(row.failedCount).toBe(failed.length);
}
