/** What one beat of the sweeper saw. */
export type Vitals = {
  postgres: boolean;
  /** Takes writes and refuses this worker nothing, and its queue is not paused. */
  redis: boolean;
  overdue: number;
  /** Jobs that a worker could take now. */
  waiting: number;
  inFlight: number;
};

export type Watchdog = {
  /** A job came: whatever becomes of it, this worker is not wedged. */
  jobTaken: () => void;
  /** True when the worker should end, for its supervisor to start another. */
  isWedged: (vitals: Vitals) => boolean;
};

const WEDGED_AFTER_MS = 30_000;
/** A longer silence between beats was a stopped process or a blocked loop, and says nothing about the queue. */
const LONGEST_BEAT_MS = 12_000;

/**
 * Tells a worker that takes no jobs although there are some: deliveries are overdue, jobs wait, nothing is in flight and no job
 * came for 30 s in which Postgres and Redis both answered all the time. No error shows it, and no restart of anything else mends
 * it. A delivery that is overdue without a job is the sweeper's: a restart would not find it one. `now` is a monotonic clock in
 * milliseconds.
 */
export function createWatchdog(now: () => number): Watchdog {
  let suspectSince: number | null = null;
  let lastBeatAt = now();

  return {
    jobTaken: () => {
      suspectSince = null;
    },
    isWedged: (vitals) => {
      const at = now();
      const isContinuous = at - lastBeatAt <= LONGEST_BEAT_MS;
      lastBeatAt = at;
      if (!isSuspect(vitals)) suspectSince = null;
      else if (suspectSince === null || !isContinuous) suspectSince = at;
      return suspectSince !== null && at - suspectSince >= WEDGED_AFTER_MS;
    },
  };
}

function isSuspect({ postgres, redis, overdue, waiting, inFlight }: Vitals): boolean {
  return postgres && redis && overdue > 0 && waiting > 0 && inFlight === 0;
}
