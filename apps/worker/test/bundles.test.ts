import { randomUUID } from 'node:crypto';
import type { DeliveryWakeUp, JobEnding } from '@driftwire/queue';
import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { aWakeUp, setupQueue } from './setup-queue.js';

let close = async () => {};
afterEach(() => close());

test('a bundle is one job; each of its deliveries is run once', async () => {
  const { producer, queue, ran } = await consume();
  const bundle = aBundle(5);
  await producer.addJobs(bundle);
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  expect(ran.sort()).toEqual(idsOf(bundle));
  expect(await queue.getJobCounts('wait', 'active', 'delayed', 'failed')).toEqual({
    wait: 0,
    active: 0,
    delayed: 0,
    failed: 0,
  });
});

test('places are deliveries: so many run, however few jobs brought them, and the next job is left to others', async () => {
  const { producer, queue, ran, end } = await consume({ concurrency: 6 });
  const first = aBundle(4);
  await producer.addJobs([...first, ...aBundle(4), ...aBundle(4), ...aBundle(4)]);
  await until(() => ran.length === 6);
  expect(await queue.getJobCounts('active', 'wait')).toEqual({ active: 2, wait: 2 });

  for (const { deliveryId } of first.slice(1)) end(deliveryId);
  await until(() => ran.length === 9);
  // One delivery of the first bundle keeps its own place and no other.
  expect(await queue.getJobCounts('active', 'wait', 'completed')).toEqual({ active: 3, wait: 1, completed: 0 });
  end(first[0]?.deliveryId ?? '');
  await until(() => queue.getCompletedCount().then((count) => count === 1));
});

test('a failed delivery of a bundle gets a job of its own, in which BullMQ counts its attempts, the first too', async () => {
  const bundle = aBundle(3);
  const failing = bundle[1]?.deliveryId ?? '';
  const { producer, queue, ran } = await consume({
    ending: ({ deliveryId, generation }, runs) => {
      if (deliveryId !== failing) return { kind: 'done' };
      if (runs === 3) return { kind: 'failed', reason: 'exhausted: the receiver answered 500' };
      return { kind: 'retry', delayMs: 300, reason: 'the receiver answered 500', generation: Math.max(generation, 2) };
    },
  });
  const startedAt = Date.now();
  await producer.addJobs(bundle);
  const own = await until(() => queue.getJob(`${failing}-2`).then((job) => job?.attemptsMade === 1 && job));
  expect(own).toMatchObject({ opts: { attempts: 3 }, failedReason: 'driftwire: the receiver answered 500' });
  expect(await own.isDelayed()).toBe(true);
  await until(() => ran.filter((id) => id === failing).length === 2);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(290);
  const failed = await until(() => queue.getJob(`${failing}-2`).then((job) => job?.finishedOn && job));
  expect(failed).toMatchObject({ attemptsMade: 3, failedReason: 'driftwire: exhausted: the receiver answered 500' });
  expect(await queue.getCompletedCount()).toBe(1);
  expect(ran).toHaveLength(5);
});

test('a delivery of a bundle that ended failed is in the failed tab; its bundle is completed', async () => {
  const bundle = aBundle(2);
  const gone = bundle[1];
  const { producer, queue, ran } = await consume({
    ending: ({ deliveryId }) =>
      deliveryId === gone?.deliveryId
        ? { kind: 'failed', reason: 'gone: the receiver answered 410' }
        : { kind: 'done' },
  });
  await producer.addJobs(bundle);
  const [failed] = await until(() => queue.getFailed().then((jobs) => jobs.length > 0 && jobs));
  expect(failed).toMatchObject({
    id: gone?.id,
    attemptsMade: 1,
    failedReason: 'driftwire: gone: the receiver answered 410',
  });
  expect(ran.sort()).toEqual(idsOf(bundle));
  expect(await queue.getCompletedCount()).toBe(1);
});

test('a bundle with one that is put off is put off, and comes again without having spent an attempt', async () => {
  const bundle = aBundle(3);
  const late = bundle[2]?.deliveryId;
  const { producer, queue, ran } = await consume({
    ending: ({ deliveryId }, runs) =>
      deliveryId === late && runs === 1 ? { kind: 'snooze', delayMs: 50 } : { kind: 'done' },
  });
  await producer.addJobs(bundle);
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  expect(ran).toHaveLength(6);
  expect((await queue.getCompleted())[0]?.attemptsMade).toBe(1);
});

test('what waits for a place when its worker closes is put back with its bundle', async () => {
  const { producer, queue, ran, end, consumers } = await consume({ concurrency: 2 });
  await producer.addJobs(aBundle(5));
  await until(() => ran.length === 2);
  const closed = consumers[0]?.close(5_000);
  for (const id of [...ran]) end(id);
  await closed;
  expect(ran).toHaveLength(2);
  expect(await queue.getJobCounts('delayed', 'active', 'completed')).toEqual({ delayed: 1, active: 0, completed: 0 });
});

test('a delivery whose row was in a bundle goes on in a job of its own, whatever job brought it', async () => {
  const { producer, queue } = await consume({
    ending: (_, runs) =>
      runs === 1 ? { kind: 'retry', delayMs: 20, reason: 'refused', generation: 2 } : { kind: 'done' },
  });
  const standIn = aWakeUp();
  await producer.addJobs([standIn]);
  await until(() => queue.getCompletedCount().then((count) => count === 2));
  expect(await queue.getJob(standIn.id)).toMatchObject({ attemptsMade: 1 });
  expect(await queue.getJob(`${standIn.deliveryId}-2`)).toMatchObject({ attemptsMade: 2 });
});

type Ending = (delivery: { deliveryId: string; generation: number }, runs: number) => JobEnding;

/** A consumer whose deliveries end as `ending` says, or else when the test does. */
async function consume({ ending, concurrency = 10 }: { ending?: Ending; concurrency?: number } = {}) {
  const ran: string[] = [];
  const ends = new Map<string, () => void>();
  const setup = await setupQueue(
    (delivery) => {
      const { deliveryId } = delivery;
      ran.push(deliveryId);
      if (ending !== undefined) return ending(delivery, ran.filter((id) => id === deliveryId).length);
      if (concurrency === 10) return { kind: 'done' };
      return new Promise((resolve) => ends.set(deliveryId, () => resolve({ kind: 'done' })));
    },
    { concurrency },
  );
  close = async () => {
    for (const end of ends.values()) end();
    await setup.close();
  };
  return { ...setup, ran, end: (deliveryId: string) => ends.get(deliveryId)?.() };
}

function aBundle(size: number): (DeliveryWakeUp & { id: string })[] {
  const jobId = randomUUID();
  return Array.from({ length: size }, () => ({ ...aWakeUp(), jobId }));
}

function idsOf(bundle: readonly DeliveryWakeUp[]): string[] {
  return bundle.map(({ deliveryId }) => deliveryId).sort();
}
