import { setTimeout as delay } from 'node:timers/promises';
import { type DeliveryWakeUp, inJobs } from './delivery-job.js';

export type EnqueueBuffer = {
  /** Takes deliveries and returns at once. What does not fit is left to the sweeper, and counted. */
  push: (wakeUps: readonly DeliveryWakeUp[]) => void;
  size: () => number;
  /** True when Redis did not take the jobs that were last tried. */
  isRefused: () => boolean;
  /** Gives what is left one last chance within the deadline; the rest is the sweeper's. */
  close: (deadlineMs: number) => Promise<void>;
};

export type EnqueueBufferDeps = {
  addJobs: (jobs: readonly DeliveryWakeUp[]) => Promise<void>;
  /** Deliveries in memory at most, while Redis does not take them. */
  capacity: number;
  /** The same while it does: what comes at once, faster than it goes out, is gone in seconds. */
  burst: number;
  retryDelayMs: number;
  onOverflow: (count: number) => void;
  onFailure: (error: Error, waiting: number) => void;
};

const BATCH_SIZE = 500;

/**
 * Between the commit and Redis, so that a request never waits for Redis. Jobs are added in batches that fill while the
 * one before is on its way, and stay in memory until Redis has taken them. Losing this buffer loses no delivery: every
 * unfinished row has a deadline in Postgres, by which the sweeper finds what is missing.
 */
export function createEnqueueBuffer(deps: EnqueueBufferDeps): EnqueueBuffer {
  const waiting: DeliveryWakeUp[] = [];
  const closing = new AbortController();
  let draining: Promise<void> | null = null;
  let isRefused = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      const batch = waiting.slice(0, wholeJobs(waiting, BATCH_SIZE));
      try {
        await deps.addJobs(batch);
        waiting.splice(0, batch.length);
        isRefused = false;
      } catch (error) {
        isRefused = true;
        deps.onFailure(error instanceof Error ? error : new Error(`${error}`), waiting.length);
        await delay(deps.retryDelayMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
    draining = null;
  }

  return {
    size: () => waiting.length,
    isRefused: () => isRefused,
    push(wakeUps) {
      const room = (isRefused ? deps.capacity : deps.burst) - waiting.length;
      const inOrder = inJobs(wakeUps).flat();
      const fitting = inOrder.slice(0, wholeJobs(inOrder, Math.max(room, 0)));
      for (const wakeUp of fitting) waiting.push(wakeUp);
      if (fitting.length < wakeUps.length) deps.onOverflow(wakeUps.length - fitting.length);
      // Not for nothing: a drain that ends before it is noted here would look as if it ran for ever.
      if (waiting.length > 0) draining ??= drain();
    },
    async close(deadlineMs) {
      const tooLate = delay(deadlineMs, undefined, { signal: closing.signal }).catch(() => {});
      await Promise.race([draining, tooLate]);
      closing.abort();
    },
  };
}

/** How many of the first `limit` leave no bundle half behind: its other half would be a second job with the same id, and ignored. */
function wholeJobs(wakeUps: readonly DeliveryWakeUp[], limit: number): number {
  let count = Math.min(limit, wakeUps.length);
  while (count > 0 && isOneJob(wakeUps[count - 1], wakeUps[count])) count -= 1;
  return count;
}

function isOneJob(one?: DeliveryWakeUp, other?: DeliveryWakeUp): boolean {
  return Boolean(one?.jobId) && one?.jobId === other?.jobId;
}
