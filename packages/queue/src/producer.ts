import { Queue } from 'bullmq';
import { bulkJob, DELIVERY_QUEUE, type DeliveryWakeUp, deliveryJobId, inJobs } from './delivery-job.js';
import { type JobPresence, lookAtJobs } from './job-presence.js';
import { readOrSetEpoch } from './queue-epoch.js';
import { countWaiting } from './queue-lists.js';
import { COMMAND_TIMEOUT_MS, connectProducer, redisAnswers, redisTakesWrites } from './redis-connection.js';
import { explained } from './redis-refusal.js';

export type Producer = {
  /**
   * Adds jobs in one pipeline, one for each delivery or bundle. Rejects, within about four seconds, when Redis does not take all of them (out of memory, it
   * may have taken some); adding again is harmless.
   */
  addJobs: (jobs: readonly DeliveryWakeUp[]) => Promise<void>;
  /** What Redis holds of the jobs of these deliveries, in their order. */
  lookAtJobs: (deliveries: readonly JobOf[]) => Promise<JobPresence[]>;
  /** The mark of this Redis's data: another one than before means that the jobs of before are gone. */
  epoch: () => Promise<string>;
  /** True when an operator has paused the queue: then nobody takes jobs, and rightly so. */
  isPaused: () => Promise<boolean>;
  /** Jobs that a worker could take now, those included whose delay is over. */
  countWaiting: () => Promise<number>;
  /** Lets delayed jobs run now; those that are not delayed any more are left alone. */
  wake: (deliveries: readonly JobOf[]) => Promise<void>;
  /** True when Redis answers a ping within a second: it may be read, by the dashboard for one. */
  answers: () => Promise<boolean>;
  /** True when Redis takes a write within a second: a replica, a full one and one that lacks us a right answer every ping. */
  takesWrites: () => Promise<boolean>;
  /** For the dashboard. */
  queue: Queue;
  close: () => Promise<void>;
};

/** Which job is meant. */
type JobOf = Parameters<typeof deliveryJobId>[0];

/** A Redis that took jobs so short a time ago gets the next ones without being asked whether it is there. */
const TRUSTED_MS = 1_000;

export type QueueOptions = {
  redisUrl: string;
  /** Namespaces every key, so that tests can share a server. */
  prefix: string;
  onError: (error: Error) => void;
};

/**
 * The producing side of the queue. It starts without Redis and recovers when Redis comes: that takes both options below
 * and a look at the connection first (see FACTS in the design; each of them alone hangs or stays broken).
 */
export function createProducer({ redisUrl, prefix, ...options }: QueueOptions): Producer {
  const onError = (error: Error) => options.onError(explained(error));
  const connection = connectProducer(redisUrl, onError);
  const queue = new Queue(DELIVERY_QUEUE, {
    connection,
    prefix,
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  });
  queue.on('error', onError);
  const toKey = (list: string) => queue.toKey(list);
  let lastTakenAt = Number.NEGATIVE_INFINITY;

  return {
    queue,
    addJobs: async (jobs) => {
      if (connection.status !== 'ready') throw new Error(`Redis is not ready: ${connection.status}`);
      // A frozen server is asked with a ping, not with the batch: what is written to it at every try stays in memory.
      const isTrusted = performance.now() - lastTakenAt < TRUSTED_MS;
      if (!isTrusted && !(await redisAnswers(connection, COMMAND_TIMEOUT_MS))) throw new Error('Redis does not answer');
      lastTakenAt = Number.NEGATIVE_INFINITY;
      await Promise.all(
        inJobs(jobs)
          .map(bulkJob)
          .map(({ name, data, opts }) => queue.add(name, data, opts)),
      ).catch(throwExplained);
      lastTakenAt = performance.now();
    },
    lookAtJobs: (deliveries) => lookAtJobs(connection, toKey, deliveries.map(deliveryJobId)),
    epoch: () => readOrSetEpoch(connection, `${prefix}:epoch`),
    isPaused: () => queue.isPaused(),
    countWaiting: () => countWaiting(connection, toKey),
    wake: async (deliveries) => {
      const ids = new Set(deliveries.map(deliveryJobId));
      await Promise.all([...ids].map((id) => queue.backend.promote(id).catch(ignoreNotDelayed)));
    },
    answers: () => redisAnswers(connection),
    takesWrites: () => redisTakesWrites(connection, prefix, onError),
    close: async () => {
      // Not `queue.close()` alone: it waits for a server that may be gone.
      connection.disconnect();
      await queue.close().catch(() => {});
    },
  };
}

/** BullMQ's code for a job that is delayed no more. */
const NOT_DELAYED = -3;

function ignoreNotDelayed(error: Error & { code?: number }): void {
  if (error.code !== NOT_DELAYED) throw error;
}

function throwExplained(error: Error): never {
  throw explained(error);
}
