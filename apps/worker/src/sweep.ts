import type { OverdueDelivery } from '@driftwire/database';
import type { DeliveryJob, DeliveryWakeUp, JobPresence } from '@driftwire/queue';

export type SweepDeps = {
  /** Takes overdue deliveries and moves their deadlines first, see `armOverdueDeliveries`. */
  armOverdue: (limits: { limit: number; rearmMs: number }) => Promise<OverdueDelivery[]>;
  lookAtJobs: (jobs: readonly DeliveryJob[]) => Promise<JobPresence[]>;
  takeNextGenerations: (overdue: readonly OverdueDelivery[]) => Promise<OverdueDelivery[]>;
  addJobs: (jobs: readonly DeliveryWakeUp[]) => Promise<void>;
  rearm: (overdue: readonly OverdueDelivery[], deadline: { afterMs: number }) => Promise<void>;
  observe: (batch: SweptBatch) => void;
  random: () => number;
};

/** What became of one batch. `interrupted` are among the `missing`; `finished` had a job that ended without them. */
export type SweptBatch = { overdue: number; interrupted: number; missing: number; finished: number; waiting: number };

const BATCH_SIZE = 1_000;
/** If this sweeper dies now, the next one looks again after this. */
const REARM_MS = 30_000;
/** A job that merely waits is looked at rarely: a healthy backlog must not be work. */
const WAITING_REARM_MS = 15 * 60_000;
const WAITING_SPREAD_MS = 60_000;
const FAILED_REARM_MS = 5_000;

/**
 * Finds the deliveries whose jobs are lost and gives them new ones. Postgres says which are past their deadline, Redis
 * what it still holds of them; only a job that is missing or finished is replaced, so a long queue is never enqueued twice.
 * Any number of sweepers share the work.
 */
export function createSweep(deps: SweepDeps): () => Promise<void> {
  return async () => {
    let isFull = true;
    while (isFull) {
      const armed = await deps.armOverdue({ limit: BATCH_SIZE, rearmMs: REARM_MS });
      const overdue = armed.filter(({ isInFlight }) => !isInFlight);
      if (overdue.length > 0) await recover(deps, overdue);
      isFull = armed.length === BATCH_SIZE;
    }
  };
}

/** Whatever goes wrong after the arming (Redis lost in between) is tried again in seconds. */
async function recover(deps: SweepDeps, overdue: readonly OverdueDelivery[]): Promise<void> {
  try {
    const { missing, finished, unfinished } = byPresence(overdue, await deps.lookAtJobs(overdue));
    const replaced = await deps.takeNextGenerations(finished);
    await deps.addJobs([...missing, ...replaced].map(wakeUpOf));
    await deps.rearm(unfinished, { afterMs: WAITING_REARM_MS + deps.random() * WAITING_SPREAD_MS });
    deps.observe({
      overdue: overdue.length,
      interrupted: overdue.filter(({ isInterrupted }) => isInterrupted).length,
      missing: missing.length,
      finished: finished.length,
      waiting: unfinished.length,
    });
  } catch (error) {
    await deps.rearm(overdue, { afterMs: FAILED_REARM_MS });
    throw error;
  }
}

function byPresence(overdue: readonly OverdueDelivery[], presences: readonly JobPresence[]) {
  const found: Record<JobPresence, OverdueDelivery[]> = { missing: [], finished: [], unfinished: [] };
  overdue.forEach((delivery, index) => {
    const presence = presences[index];
    if (presence !== undefined) found[presence].push(delivery);
  });
  return found;
}

function wakeUpOf({ deliveryId, generation, maxAttempts }: OverdueDelivery): DeliveryWakeUp {
  return { deliveryId, generation, maxAttempts };
}
