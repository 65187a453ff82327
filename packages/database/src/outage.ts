import { setTimeout as delay } from 'node:timers/promises';
import { isPostgresAway, PostgresStillAway } from './postgres-error.js';

/** `until` is on the clock that the outage was made with. `mayRepeat` says of an error whether the work may be done again after it. */
export type Patience = { until: number; mayRepeat?: (error: unknown) => boolean };

export type RideOut = <T>(work: () => Promise<T>, patience: Patience) => Promise<T>;

export type Outage = {
  isOn: () => boolean;
  /** Told of what a statement failed with: true when Postgres is away, and it is worth waiting for its return. */
  noticed: (error: unknown) => boolean;
  /** Resolves when Postgres takes writes again, at once when it never stopped. Rejects at `until` with `PostgresStillAway`. */
  over: (until: number) => Promise<void>;
  /** Does the work, and again after an outage, for as long as it may. Rejects with what it failed with last. */
  rideOut: RideOut;
  /** The process is to end: from now on nobody waits. */
  giveUp: () => void;
};

export type OutageOptions = {
  /** True when Postgres takes writes. Bounded. */
  probe: () => Promise<boolean>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

const PROBE_EVERY_MS = 100;
/** Node takes a longer one for one of a millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A Postgres that restarts or fails over is away for seconds, and whoever sends again at once only adds to its load. Of all who
 * wait one asks whether it is back, for everybody, ten times a second at most.
 */
export function createOutage({ probe, now }: OutageOptions): Outage {
  const givenUp = new AbortController();
  let current: { error: unknown; ended: Promise<void> } | null = null;
  let probedAt = Number.NEGATIVE_INFINITY;

  async function probeUntilBack(): Promise<void> {
    do {
      await pause(probedAt + PROBE_EVERY_MS - now());
      probedAt = now();
    } while (!givenUp.signal.aborted && !(await probe()));
    current = null;
  }

  function pause(ms: number, signal = givenUp.signal): Promise<unknown> {
    return delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, { signal }).catch(() => {});
  }

  function noticed(error: unknown): boolean {
    if (!isPostgresAway(error) || givenUp.signal.aborted) return false;
    current ??= { error, ended: probeUntilBack() };
    return true;
  }

  async function over(until: number): Promise<void> {
    if (current === null) return;
    const { error, ended } = current;
    const waited = new AbortController();
    const tooLate = pause(until - now(), AbortSignal.any([givenUp.signal, waited.signal]));
    await Promise.race([ended, tooLate]);
    waited.abort();
    if (current !== null || givenUp.signal.aborted) throw new PostgresStillAway(error);
  }

  return {
    isOn: () => current !== null,
    noticed,
    over,
    giveUp: () => givenUp.abort(),
    rideOut: async (work, { until, mayRepeat = () => true }) => {
      for (;;) {
        await over(until);
        try {
          return await work();
        } catch (error) {
          if (!noticed(error) || !mayRepeat(error)) throw error;
        }
      }
    },
  };
}
