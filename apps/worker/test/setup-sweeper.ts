import { randomUUID } from 'node:crypto';
import { connectDatabase } from '@driftwire/database';
import { createProducer, type DeliveryWakeUp } from '@driftwire/queue';
import { freshDatabase, freshRedis, until } from '@driftwire/testing';
import { createRecovery } from '../src/recovery.js';
import type { SweptBatch } from '../src/sweep.js';

/** So that no statement runs into its timeout. */
const CHUNK = 10_000;
/** As many as the sweeper adds at once: they have a second. */
const PIPELINE = 1_000;

export type SweeperSetup = Awaited<ReturnType<typeof setupSweeper>>;

/** The worker's own sweep and wipe check on a real Postgres and a real Redis, without a worker. */
export async function setupSweeper() {
  const [fresh, redis] = await Promise.all([freshDatabase(), freshRedis()]);
  const options = { applicationName: 'test', poolSize: 10, onConnectionLost: () => {} };
  const { prisma, close } = connectDatabase({ url: fresh.url, ...options });
  const producer = createProducer({ redisUrl: redis.url, prefix: 'test', onError: () => {} });
  await until(() => producer.answers());
  const swept: SweptBatch[] = [];
  const { sweep, recoverWiped, recoverIdle } = createRecovery({
    prisma,
    producer,
    deliveriesPerJob: 16,
    observe: { swept: (batch) => swept.push(batch), wiped: () => {} },
  });
  return {
    prisma,
    redis: redis.redis,
    queue: producer.queue,
    swept,
    sweep,
    recoverWiped,
    recoverIdle,
    producer,
    flush: redis.flush,
    addJobs: async (ids: readonly string[]) => {
      for (let from = 0; from < ids.length; from += PIPELINE) {
        await producer.addJobs(ids.slice(from, from + PIPELINE).map(wakeUp));
      }
    },
    /** So many to a job, on record and in Redis. */
    addBundles: async (ids: readonly string[], perJob: number) => {
      const bundled = ids.map((id, index) => ({ id, jobId: bundleId(Math.floor(index / perJob)) }));
      for (let from = 0; from < bundled.length; from += perJob * PIPELINE) {
        const some = bundled.slice(from, from + perJob * PIPELINE);
        await prisma.$executeRaw`
          UPDATE deliveries SET job_id = bundled.job_id
          FROM unnest(${some.map(({ id }) => id)}::uuid[], ${some.map(({ jobId }) => jobId)}::uuid[]) AS bundled(id, job_id)
          WHERE deliveries.id = bundled.id`;
        await producer.addJobs(some.map(({ id, jobId }) => ({ ...wakeUp(id), jobId })));
      }
    },
    /** Jobs in Redis, whatever their state. */
    jobs: async () => {
      const { wait = 0, delayed = 0 } = await producer.queue.getJobCounts('wait', 'delayed');
      return wait + delayed;
    },
    /** So many deliveries of one event. Their deadlines have passed unless told otherwise. */
    deliveries: async (count: number, { dueInS = -1 }: { dueInS?: number } = {}) => {
      const { eventId, endpointId } = await anEvent(prisma);
      const ids: string[] = [];
      while (ids.length < count) {
        const rows = await prisma.$queryRaw<{ id: string }[]>`
          INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
          SELECT uuidv7_at(event.created_at), event.customer_id, event.id, ${endpointId}::uuid, event.event_type, 3,
            now() + ${dueInS}::int * interval '1 s', now() + ${dueInS}::int * interval '1 s', event.created_at
          FROM generate_series(1, ${Math.min(CHUNK, count - ids.length)}::int), drift_events event
          WHERE event.id = ${eventId}::uuid RETURNING id`;
        ids.push(...rows.map(({ id }) => id));
      }
      return ids;
    },
    passDeadlines: async () => {
      let moved = CHUNK;
      while (moved > 0) {
        moved = await prisma.$executeRaw`
          UPDATE deliveries SET recover_at = now() - interval '1 s' WHERE id IN (
            SELECT id FROM deliveries WHERE recover_at > now() LIMIT ${CHUNK}::int)`;
      }
    },
    close: async () => {
      await Promise.all([producer.close(), close()]);
      await Promise.all([redis.close(), fresh.drop()]);
    },
  };
}

function wakeUp(deliveryId: string): DeliveryWakeUp {
  return { deliveryId, generation: 1, maxAttempts: 3 };
}

export function bundleId(number: number): string {
  return `00000000-0000-8000-8000-${number.toString(16).padStart(12, '0')}`;
}

async function anEvent(prisma: ReturnType<typeof connectDatabase>['prisma']) {
  const { id: customerId } = await prisma.customer.create({ data: { name: 'Acme' } });
  const endpointId = randomUUID();
  const endpoint = { name: 'all', url: 'https://receiver.example/', eventTypes: ['*'], secretSealed: 'sealed' };
  await prisma.endpoint.create({ data: { id: endpointId, customerId, ...endpoint, headerNames: [] } });
  const event = { eventType: 'drift.created', driftType: 'MEAN', severity: 1, occurredAt: 'now', body: '{}' };
  const createdAt = new Date();
  const [row] = await prisma.$queryRaw<{ id: string }[]>`SELECT uuidv7_at(${createdAt}::timestamptz) AS id`;
  const eventId = row?.id ?? '';
  await prisma.driftEvent.create({ data: { ...event, id: eventId, customerId, requestId: randomUUID(), createdAt } });
  return { endpointId, eventId };
}
