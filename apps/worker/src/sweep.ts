import type { OverdueDelivery } from '@driftwire/database';
import type { DeliveryWakeUp, JobPresence } from '@driftwire/queue';

export type SweepDeps = {
  /** Takes overdue deliveries and moves their deadlines first, see `armOverdueDeliveries`. */
  armOverdue: (limits: { limit: number; rearmMs: number }) => Promise<OverdueDelivery[]>;
  lookAtJobs: (overdue: readonly OverdueDelivery[]) => Promise<JobPresence[]>;
  /** Of these deliveries those that should have been started by now. */
  dueAmong: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
  wakeJobs: (overdue: readonly OverdueDelivery[]) => Promise<void>;
  takeNextGenerations: (overdue: readonly OverdueDelivery[]) => Promise<OverdueDelivery[]>;
  addJobs: (jobs: readonly DeliveryWakeUp[]) => Promise<void>;
  rearm: (overdue: readonly OverdueDelivery[], deadline: { afterMs: number }) => Promise<void>;
  observe: (batch: SweptBatch) => void;
  random: () => number;
};

/**
 * What became of one batch. `interrupted` are among the `missing`; `finished` had a job that ended without them, `stray` one that
 * no worker would ever take, `asleep` one that was delayed for longer than the delivery is.
 */
export type SweptBatch = {
  overdue: number;
  interrupted: number;
  missing: number;
  finished: number;
  stray: number;
  asleep: number;
  waiting: number;
};

const BATCH_SIZE = 1_000;
/** If this sweeper dies now, the next one looks again after this. */
export const REARM_MS = 30_000;
/** A job that merely waits is looked at rarely: a healthy backlog must not be work. */
const WAITING_REARM_MS = 15 * 60_000;
const WAITING_SPREAD_MS = 60_000;
const FAILED_REARM_MS = 5_000;

/**
 * Finds the deliveries whose jobs are lost and gives them new ones. Postgres says which are past their deadline, Redis
 * what it still holds of them; only a job that is missing, finished or in no list is replaced, so a long queue is never
 * enqueued twice. Answers how many deliveries were not in order.
 * Any number of sweepers share the work.
 */
export function createSweep(deps: SweepDeps): () => Promise<number> {
  return async () => {
    let recovered = 0;
    let isFull = true;
    while (isFull) {
      const armed = await deps.armOverdue({ limit: BATCH_SIZE, rearmMs: REARM_MS });
      const overdue = armed.filter(({ isInFlight }) => !isInFlight);
      if (overdue.length > 0) recovered += await recover(deps, overdue);
      isFull = armed.length === BATCH_SIZE;
    }
    return recovered;
  };
}

/** Whatever goes wrong after the arming (Redis lost in between) is tried again in seconds. */
async function recover(deps: SweepDeps, overdue: readonly OverdueDelivery[]): Promise<number> {
  try {
    const { missing, finished, stray, asleep, unfinished } = byPresence(overdue, await deps.lookAtJobs(overdue));
    // A job of its own can be added again; a bundle cannot, for who else was in it is not known here.
    const ofItsOwn = missing.filter(({ jobId }) => jobId === null);
    const bundled = missing.filter(({ jobId }) => jobId !== null);
    const replaced = await deps.takeNextGenerations([...finished, ...stray, ...bundled]);
    await deps.addJobs([...ofItsOwn, ...replaced].map(wakeUpOf));
    const due = await deps.dueAmong(asleep.map(({ deliveryId }) => deliveryId));
    const overslept = asleep.filter(({ deliveryId }) => due.has(deliveryId));
    await deps.wakeJobs(overslept);
    const waiting = [...unfinished, ...asleep];
    await deps.rearm(waiting, { afterMs: WAITING_REARM_MS + deps.random() * WAITING_SPREAD_MS });
    deps.observe({
      overdue: overdue.length,
      interrupted: overdue.filter(({ isInterrupted }) => isInterrupted).length,
      missing: missing.length,
      finished: finished.length,
      stray: stray.length,
      asleep: overslept.length,
      waiting: waiting.length - overslept.length,
    });
    return ofItsOwn.length + replaced.length + overslept.length;
  } catch (error) {
    await deps.rearm(overdue, { afterMs: FAILED_REARM_MS });
    throw error;
  }
}

function byPresence(overdue: readonly OverdueDelivery[], presences: readonly JobPresence[]) {
  const found: Record<JobPresence, OverdueDelivery[]> = {
    missing: [],
    finished: [],
    stray: [],
    asleep: [],
    unfinished: [],
  };
  overdue.forEach((delivery, index) => {
    const presence = presences[index];
    if (presence !== undefined) found[presence].push(delivery);
  });
  return found;
}

function wakeUpOf({ deliveryId, generation, endpointId, maxAttempts, jobId }: OverdueDelivery): DeliveryWakeUp {
  return { deliveryId, generation, endpointId, maxAttempts, jobId };
}
