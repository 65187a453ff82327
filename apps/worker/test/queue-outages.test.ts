import { type OwnRedis, ownRedis, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aWakeUp, type Run, setupQueue } from './setup-queue.js';

let redis: OwnRedis;
let close = async () => {};
beforeEach(async () => {
  redis = await ownRedis();
});
afterEach(async () => {
  await close();
  await redis.close();
});

test('without Redis adding is refused at once; when Redis comes, both sides recover by themselves', async () => {
  const { producer, queue, consumers } = await setup();
  expect(
    await millisecondsOf(expect(producer.addJobs([aWakeUp()])).rejects.toThrow('Redis is not ready')),
  ).toBeLessThan(100);
  expect(await producer.answers()).toBe(false);
  expect(await consumers[0]?.answers()).toBe(false);

  await redis.start();
  await until(
    () =>
      producer.addJobs([aWakeUp()]).then(
        () => true,
        () => false,
      ),
    { deadlineMs: 3_000 },
  );
  await until(() => queue.getCompletedCount().then((count) => count === 1), { deadlineMs: 3_000 });
  expect(await consumers[0]?.answers()).toBe(true);
});

test('a Redis that was away and came back empty is used again within seconds', async () => {
  await redis.start();
  const { producer, queue } = await setup();
  await until(() =>
    producer.addJobs([aWakeUp()]).then(
      () => true,
      () => false,
    ),
  );
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  await redis.stop();
  await until(async () => !(await producer.answers()));
  await redis.start();
  await until(
    () =>
      producer.addJobs([aWakeUp()]).then(
        () => true,
        () => false,
      ),
    { deadlineMs: 3_000 },
  );
  await until(() => queue.getCompletedCount().then((count) => count === 1), { deadlineMs: 3_000 });
});

test('a consumer closes at once when Redis is gone and nothing is in flight', async () => {
  await redis.start();
  const { consumers } = await setup();
  await until(() => consumers[0]?.answers() ?? false);
  await redis.stop();
  await until(async () => !(await consumers[0]?.answers()));
  expect(await millisecondsOf(consumers[0]?.close(10_000))).toBeLessThan(1_000);
});

test('a consumer whose Redis is gone still waits for the delivery in flight', async () => {
  await redis.start();
  let finish = () => {};
  const { producer, consumers, run } = await setup(
    () => new Promise((resolve) => (finish = () => resolve({ kind: 'done' }))),
  );
  await until(() => producer.answers());
  await producer.addJobs([aWakeUp()]);
  await until(() => run.length === 1);
  await redis.stop();
  await until(async () => !(await consumers[0]?.answers()));
  let isClosed = false;
  const closed = consumers[0]?.close(10_000).then(() => (isClosed = true));
  await new Promise(setImmediate);
  expect(isClosed).toBe(false);
  finish();
  expect(await millisecondsOf(closed)).toBeLessThan(1_000);
});

test('a consumer that never saw Redis closes at once', async () => {
  const { consumers } = await setup();
  expect(await millisecondsOf(consumers[0]?.close(10_000))).toBeLessThan(1_000);
});

test('a frozen Redis refuses within four seconds, and nobody hangs on it', async () => {
  await redis.start();
  const { producer, consumers } = await setup();
  await until(() => producer.answers());
  await until(() => consumers[0]?.answers() ?? false);
  redis.freeze();
  expect(await millisecondsOf(expect(producer.addJobs([aWakeUp()])).rejects.toThrow())).toBeLessThan(4_000);
  expect(await millisecondsOf(expect(producer.answers()).resolves.toBe(false))).toBeLessThan(2_000);
  expect(await millisecondsOf(expect(consumers[0]?.answers()).resolves.toBe(false))).toBeLessThan(2_000);
  redis.thaw();
  await until(
    () =>
      producer.addJobs([aWakeUp()]).then(
        () => true,
        () => false,
      ),
    { deadlineMs: 3_000 },
  );
});

test('a consumer closes at its deadline when Redis is frozen', async () => {
  await redis.start();
  const { consumers } = await setup();
  await until(() => consumers[0]?.answers() ?? false);
  redis.freeze();
  expect(await millisecondsOf(consumers[0]?.close(300))).toBeLessThan(1_000);
});

async function setup(ending: Run = () => ({ kind: 'done' })) {
  const run: Parameters<Run>[0][] = [];
  const queue = await setupQueue(
    (job) => {
      run.push(job);
      return ending(job);
    },
    { redisUrl: redis.url },
  );
  close = queue.close;
  return { ...queue, run };
}

async function millisecondsOf(work: Promise<unknown> | undefined): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}
