import { REARM_MS } from './sweep.js';

export type IdleRecoveryDeps = {
  /** Lets the next sweep look at overdue deliveries that it would not look at soon; answers how many. */
  bringForward: (limits: { limit: number; beyondMs: number }) => Promise<number>;
  /** Answers how many jobs it brought back. */
  sweep: () => Promise<number>;
};

const STEP = 1_000;
/** At a beat: more come when these have been taken. */
const STEPS = 10;

/**
 * For a queue in which nothing waits although deliveries are overdue: they have lost their jobs, or never had any (an API that
 * ended with Redis away), and deadlines that were set behind a backlog may be a quarter of an hour off. They are swept now
 * instead. Jobs that are being added at this moment get the same ids, which is harmless.
 */
export function createIdleRecovery({ bringForward, sweep }: IdleRecoveryDeps): () => Promise<void> {
  return async () => {
    for (let step = 0; step < STEPS; step += 1) {
      const moved = await bringForward({ limit: STEP, beyondMs: REARM_MS });
      // Those found where they should be have a late deadline again, and would be all that the next step finds.
      const broughtBack = moved > 0 ? await sweep() : 0;
      if (moved < STEP || broughtBack === 0) return;
    }
  };
}
