import { createProducer, deliveryJobId } from '@driftwire/queue';
import { until } from '@driftwire/testing';

export type DeliveryQueue = {
  /** Adds a job as it is, under an id of its own. */
  add: (id: string, data: unknown) => Promise<void>;
  /** Waits until BullMQ will never run the delivery's job again. */
  ended: (deliveryId: string, generation?: number) => Promise<void>;
  failedReason: (deliveryId: string) => Promise<string | undefined>;
  /** Lets the delivery's job, which is delayed, run now. */
  promote: (deliveryId: string) => Promise<void>;
  /** Waits until no job is waiting or running. */
  idle: () => Promise<void>;
  failedCount: () => Promise<number>;
  /** The most attempts that any completed job has spent. */
  mostAttempts: () => Promise<number>;
  close: () => Promise<void>;
};

/** A look into a running stack's queue. */
export function openQueue(redisUrl: string): DeliveryQueue {
  const producer = createProducer({ redisUrl, prefix: 'driftwire', onError: () => {} });
  const { queue } = producer;
  const job = (deliveryId: string, generation = 1) => queue.getJob(deliveryJobId({ deliveryId, generation }));

  return {
    add: async (id, data) => {
      await until(() => producer.answers());
      await queue.add('deliver', data, { jobId: id, attempts: 3 });
    },
    ended: async (deliveryId, generation) => {
      await until(async () => {
        const state = await (await job(deliveryId, generation))?.getState();
        return state === 'completed' || state === 'failed';
      });
    },
    failedReason: async (deliveryId) => (await job(deliveryId))?.failedReason,
    promote: async (deliveryId) => (await job(deliveryId))?.promote(),
    idle: async () => {
      await until(async () => {
        const { active = 0, wait = 0, prioritized = 0 } = await queue.getJobCounts('active', 'wait', 'prioritized');
        return active + wait + prioritized === 0;
      });
    },
    failedCount: () => queue.getFailedCount(),
    mostAttempts: async () => Math.max(...(await queue.getCompleted()).map(({ attemptsMade }) => attemptsMade)),
    close: () => producer.close(),
  };
}
