import {
  armOverdueDeliveries,
  bringForwardOverdue,
  dueAmong,
  type PrismaClient,
  planRearmWave,
  readQueueEpoch,
  rearmDeliveries,
  rearmForWave,
  rememberQueueEpoch,
  takeNextGenerations,
} from '@driftwire/database';
import type { Producer } from '@driftwire/queue';
import { createIdleRecovery } from './idle-recovery.js';
import { createWipeCheck } from './redis-wipe.js';
import { createSweep } from './sweep.js';
import type { SweepObserver } from './sweep-observer.js';

export type RecoveryDeps = {
  prisma: PrismaClient;
  producer: Pick<Producer, 'addJobs' | 'lookAtJobs' | 'wake' | 'epoch'>;
  deliveriesPerJob: number;
  observe: Pick<SweepObserver, 'swept' | 'wiped'>;
};

export type Recovery = {
  /** Answers how many jobs it brought back. */
  sweep: () => Promise<number>;
  recoverWiped: () => Promise<number>;
  recoverIdle: () => Promise<void>;
};

/** Sweep and wipe check, wired to one Postgres and one Redis. */
export function createRecovery({ prisma, producer, deliveriesPerJob, observe }: RecoveryDeps): Recovery {
  const sweep = createSweep({
    armOverdue: (limits) => armOverdueDeliveries(prisma, limits),
    lookAtJobs: producer.lookAtJobs,
    dueAmong: (ids) => dueAmong(prisma, ids),
    wakeJobs: producer.wake,
    takeNextGenerations: (overdue) => takeNextGenerations(prisma, overdue, { deliveriesPerJob }),
    addJobs: producer.addJobs,
    rearm: (overdue, deadline) => rearmDeliveries(prisma, overdue, deadline),
    observe: observe.swept,
    random: Math.random,
  });
  const recoverWiped = createWipeCheck({
    epochInRedis: producer.epoch,
    epochOnRecord: () => readQueueEpoch(prisma),
    rememberEpoch: (epoch) => rememberQueueEpoch(prisma, epoch),
    planWave: (pace) => planRearmWave(prisma, pace),
    rearmForWave: (wave, step) => rearmForWave(prisma, wave, step),
    sweep,
    observe: observe.wiped,
  });
  const recoverIdle = createIdleRecovery({
    bringForward: (limits) => bringForwardOverdue(prisma, limits),
    sweep,
  });
  return { sweep, recoverWiped, recoverIdle };
}

/** For `SABOTAGE=no-sweeper`: a worker that recovers nothing. */
export const NO_RECOVERY: Recovery = {
  sweep: async () => 0,
  recoverWiped: async () => 0,
  recoverIdle: async () => {},
};
