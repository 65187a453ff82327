const TICK_MS = 250;
/** Twice the tick: one that comes late on a busy machine is no standstill. */
const STANDSTILL_MS = 500;

export type Standstill = {
  /** Milliseconds up to now in which this process stood still. */
  ms: () => number;
  end: () => void;
};

/**
 * Counts the times in which the process was stopped (SIGSTOP, a suspended machine) or its loop blocked: more than half a second
 * without a turn. `now` is a monotonic clock in milliseconds.
 */
export function watchStandstill(now: () => number = () => performance.now()): Standstill {
  let stoodStillMs = 0;
  let turnAt = now();
  const ms = () => {
    const sinceMs = now() - turnAt;
    if (sinceMs > STANDSTILL_MS) stoodStillMs += sinceMs;
    turnAt += sinceMs;
    return stoodStillMs;
  };
  const timer = setInterval(ms, TICK_MS).unref();
  return { ms, end: () => clearInterval(timer) };
}
