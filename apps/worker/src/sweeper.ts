import { setTimeout as delay } from 'node:timers/promises';
import type { OverdueSummary } from '@driftwire/database';
import type { Vitals } from './watchdog.js';

export type SweeperDeps = {
  /** Rejects when Postgres does not answer. */
  summarizeOverdue: () => Promise<OverdueSummary>;
  /** What it does not take, the sweeper cannot mend. */
  redisTakesWrites: () => Promise<boolean>;
  /** True when Redis gives this worker no jobs and says so. */
  isRefused: () => boolean;
  queueIsPaused: () => Promise<boolean>;
  /** Jobs that a worker could take now. */
  countWaiting: () => Promise<number>;
  inFlight: () => number;
  isWedged: (vitals: Vitals) => boolean;
  /** Ends the process: nothing is in flight, and its supervisor starts another. */
  exitWedged: (vitals: Vitals) => void;
  /** Answers for how long a wave of recovery lasts, see `createWipeCheck`. */
  recoverWiped: () => Promise<number>;
  /** For a queue in which nothing waits although deliveries are overdue, see `createIdleRecovery`. */
  recoverIdle: () => Promise<void>;
  sweep: () => Promise<unknown>;
  observe: { overdue: (overdue: OverdueSummary) => void; failed: (error: unknown) => void };
  random: () => number;
};

export type Sweeper = {
  /** Beats until it is stopped; resolves when the last beat has ended. */
  run: () => Promise<void>;
  stop: () => void;
};

const BEAT_MS = 5_000;
/** So that many workers do not beat as one; always earlier, so that 5 s is the longest anybody waits. */
const JITTER_MS = 2_000;
/** While deadlines fall due in a wave, waiting out a whole beat would hold it up. */
const WAVE_BEAT_MS = 500;

/**
 * The worker's second actor: every beat it measures what is overdue, asks the watchdog, and sweeps while Redis takes writes.
 * A beat that fails is reported, and the next one comes all the same.
 */
export function createSweeper(deps: SweeperDeps): Sweeper {
  const stopping = new AbortController();
  let waveEndsAt = 0;

  async function beat(): Promise<void> {
    const redis = await deps.redisTakesWrites();
    const isIdle = await checkVitals(deps, redis);
    if (!redis) return;
    const waveMs = await recoverWiped(deps);
    if (waveMs > 0) waveEndsAt = performance.now() + waveMs + BEAT_MS;
    if (isIdle) await deps.recoverIdle();
    await deps.sweep();
  }

  return {
    stop: () => stopping.abort(),
    run: async () => {
      while (!stopping.signal.aborted) {
        await beat().catch(deps.observe.failed);
        const pauseMs = performance.now() < waveEndsAt ? WAVE_BEAT_MS : BEAT_MS - deps.random() * JITTER_MS;
        await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    },
  };
}

/** What is past its deadline is swept whatever became of the wave. */
async function recoverWiped(deps: SweeperDeps): Promise<number> {
  return deps.recoverWiped().catch((error: unknown) => {
    deps.observe.failed(error);
    return 0;
  });
}

/**
 * The watchdog is asked even when Postgres is away: it has to know that it was. Answers whether deliveries are overdue while
 * nothing waits.
 */
async function checkVitals(deps: SweeperDeps, redis: boolean): Promise<boolean> {
  const [overdue, paused, waiting] = await Promise.allSettled([
    deps.summarizeOverdue(),
    redis && deps.queueIsPaused(),
    redis ? deps.countWaiting() : 0,
  ]);
  const vitals = {
    postgres: overdue.status === 'fulfilled',
    redis: redis && !deps.isRefused() && paused.status === 'fulfilled' && !paused.value,
    overdue: overdue.status === 'fulfilled' ? overdue.value.count : 0,
    waiting: waiting.status === 'fulfilled' ? waiting.value : 0,
    inFlight: deps.inFlight(),
  };
  if (deps.isWedged(vitals)) deps.exitWedged(vitals);
  if (overdue.status === 'rejected') throw overdue.reason;
  deps.observe.overdue(overdue.value);
  return overdue.value.count > 0 && waiting.status === 'fulfilled' && waiting.value === 0;
}
