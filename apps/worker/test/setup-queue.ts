import { randomUUID } from 'node:crypto';
import { createConsumer, createProducer, type DeliveryWakeUp, deliveryJobId, type JobEnding } from '@driftwire/queue';
import { freshRedis, until } from '@driftwire/testing';

export type Run = (job: { deliveryId: string; generation: number }) => JobEnding | Promise<JobEnding>;

/** A producer, and any number of consumers that run `run`, on a Redis of their own unless told which. */
export async function setupQueue(
  run: Run,
  { consumers = 1, concurrency = 10, redisUrl }: { consumers?: number; concurrency?: number; redisUrl?: string } = {},
) {
  const fresh = redisUrl === undefined ? await freshRedis() : undefined;
  const malformed: (string | undefined)[] = [];
  const errors: Error[] = [];
  const options = {
    redisUrl: redisUrl ?? fresh?.url ?? '',
    prefix: 'test',
    onError: (error: Error) => errors.push(error),
  };
  const producer = createProducer(options);
  const running = Array.from({ length: consumers }, () =>
    createConsumer({
      ...options,
      concurrency,
      run: async (job) => run(job),
      isCrowded: () => false,
      hold: async () => ({ kind: 'snooze', delayMs: 100 }),
      onRequestOver: () => {},
      enqueue: (wakeUps) => void producer.addJobs(wakeUps).catch((error) => errors.push(error)),
      onMalformedJob: (jobId) => malformed.push(jobId),
    }),
  );
  for (const consumer of running) consumer.start();
  if (fresh) await until(() => producer.answers());

  return {
    producer,
    queue: producer.queue,
    consumers: running,
    malformed,
    errors,
    redis: fresh?.redis,
    close: async () => {
      await Promise.all(running.map((consumer) => consumer.close(2_000)));
      await producer.close();
      await fresh?.close();
    },
  };
}

export function aWakeUp(overrides: Partial<DeliveryWakeUp> = {}): DeliveryWakeUp & { id: string } {
  const wakeUp = { deliveryId: randomUUID(), generation: 1, endpointId: randomUUID(), maxAttempts: 3, ...overrides };
  return { ...wakeUp, id: deliveryJobId(wakeUp) };
}
