const TICK_MS = 250;
/** Twice the tick: one that comes late on a busy machine is no standstill. */
const STANDSTILL_MS = 500;

export type Standstill = {
  /**
   * Watches from now on, until it is asked for the answer: milliseconds in which this process stood still meanwhile. Asked
   * again it answers the same.
   */
  watch: () => () => number;
};

/**
 * Counts the times in which the process was stopped (SIGSTOP, a suspended machine) or its loop blocked: more than half a second
 * without a turn. A process in which nobody watches is not woken. `now` is a monotonic clock in milliseconds.
 */
export function createStandstill(now: () => number = () => performance.now()): Standstill {
  let stoodStillMs = 0;
  let turnAt = now();
  let watchers = 0;
  let ticking: NodeJS.Timeout | undefined;

  function turn(): number {
    const sinceMs = now() - turnAt;
    if (sinceMs > STANDSTILL_MS) stoodStillMs += sinceMs;
    turnAt += sinceMs;
    return stoodStillMs;
  }

  function begin(): number {
    if (watchers === 0) {
      turnAt = now();
      ticking = setInterval(turn, TICK_MS).unref();
    }
    watchers += 1;
    return turn();
  }

  function end(): number {
    watchers -= 1;
    if (watchers === 0) clearInterval(ticking);
    return turn();
  }

  return {
    watch: () => {
      const before = begin();
      let answer: number | undefined;
      return () => {
        answer ??= end() - before;
        return answer;
      };
    },
  };
}
