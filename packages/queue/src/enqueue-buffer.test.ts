import { expect, test } from '@jest/globals';
import type { DeliveryWakeUp } from './delivery-job.js';
import { createEnqueueBuffer, type EnqueueBufferDeps } from './enqueue-buffer.js';

test('push returns while Redis is still thinking, and the next batch fills meanwhile', async () => {
  const { buffer, redis } = setup();
  buffer.push(jobs('a'));
  buffer.push(jobs('b'));
  buffer.push(jobs('c', 'd'));
  expect(redis.asked).toEqual([['a']]);
  await redis.answer();
  expect(redis.asked).toEqual([['a'], ['b', 'c', 'd']]);
  expect(buffer.size()).toBe(3);
  await redis.answer();
  expect(buffer.size()).toBe(0);
});

test('what Redis refused is offered again, in its order, until it is taken', async () => {
  const { buffer, redis, told } = setup();
  buffer.push(jobs('a', 'b'));
  buffer.push(jobs('c'));
  expect(buffer.isRefused()).toBe(false);
  await redis.refuse();
  expect(buffer.isRefused()).toBe(true);
  await redis.isAsked(2);
  await redis.refuse();
  await redis.isAsked(3);
  await redis.answer();
  expect(redis.asked).toEqual([
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  expect(buffer.isRefused()).toBe(false);
  expect(told.failures).toEqual([3, 3]);
  expect(buffer.size()).toBe(0);
});

test('what does not fit is counted and left to the sweeper', async () => {
  const { buffer, told } = setup({ capacity: 3, burst: 3 });
  buffer.push(jobs('a', 'b'));
  buffer.push(jobs('c', 'd', 'e'));
  buffer.push(jobs('f'));
  expect(buffer.size()).toBe(3);
  expect(told.overflow).toEqual([2, 1]);
});

test('more than the capacity is kept while Redis takes jobs; what has been kept stays when it no longer does', async () => {
  const { buffer, redis, told } = setup({ capacity: 2, burst: 4 });
  buffer.push(jobs('a', 'b', 'c', 'd', 'e'));
  expect(buffer.size()).toBe(4);
  await redis.refuse();
  buffer.push(jobs('f'));
  expect(buffer.size()).toBe(4);
  await redis.isAsked(2);
  await redis.answer();
  buffer.push(jobs('g', 'h', 'i', 'j'));
  expect(buffer.size()).toBe(4);
  expect(told.overflow).toEqual([1, 1]);
});

test('a bundle is never cut: neither at the end of a batch nor where the buffer is full', async () => {
  const batches: string[][] = [];
  const { buffer, told } = setup({
    burst: 1_000,
    addJobs: async (batch) => void batches.push(batch.map(({ deliveryId }) => deliveryId)),
  });
  const bundle = (jobId: string, size: number) =>
    jobs(...Array.from({ length: size }, (_, index) => `${jobId}${index}`)).map((one) => ({ ...one, jobId }));
  buffer.push([...jobs('a'), ...bundle('x', 100), ...bundle('y', 450), ...bundle('z', 450)]);
  await buffer.close(5_000);
  expect(batches.map((batch) => batch.length)).toEqual([101, 450]);
  expect(told.overflow).toEqual([450]);
});

test('a push of nothing changes nothing', async () => {
  const { buffer, redis } = setup();
  buffer.push([]);
  buffer.push(jobs('a'));
  expect(redis.asked).toEqual([['a']]);
});

test('a hundred thousand jobs go out in bounded batches', async () => {
  const sizes: number[] = [];
  const { buffer } = setup({
    burst: 200_000,
    addJobs: async (batch) => {
      sizes.push(batch.length);
    },
  });
  buffer.push(jobs(...Array.from({ length: 100_000 }, (_, index) => `${index}`)));
  await buffer.close(5_000);
  expect(buffer.size()).toBe(0);
  expect(Math.max(...sizes)).toBe(500);
});

test('close waits for what is on its way', async () => {
  const { buffer, redis } = setup();
  buffer.push(jobs('a'));
  const closed = buffer.close(5_000);
  await redis.answer();
  await closed;
  expect(buffer.size()).toBe(0);
});

test('close ends at its deadline, though Redis never answers', async () => {
  const { buffer } = setup();
  buffer.push(jobs('a'));
  await buffer.close(20);
  expect(buffer.size()).toBe(1);
});

function jobs(...names: string[]): DeliveryWakeUp[] {
  return names.map((deliveryId) => ({ deliveryId, generation: 1, maxAttempts: 3 }));
}

function setup(overrides: Partial<EnqueueBufferDeps> = {}) {
  const redis = askedRedis();
  const told = { overflow: [] as number[], failures: [] as number[] };
  const buffer = createEnqueueBuffer({
    addJobs: redis.addJobs,
    capacity: 1_000,
    burst: 10_000,
    retryDelayMs: 1,
    onOverflow: (count) => told.overflow.push(count),
    onFailure: (_error, waiting) => told.failures.push(waiting),
    ...overrides,
  });
  return { buffer, redis, told };
}

/** A Redis that answers when the test says so. */
function askedRedis() {
  const asked: string[][] = [];
  let settle = { resolve: () => {}, reject: (_error: Error) => {} };
  let onAsked = () => {};

  async function settled(how: () => void): Promise<void> {
    how();
    await new Promise(setImmediate);
  }

  return {
    asked,
    addJobs: (batch: readonly DeliveryWakeUp[]) =>
      new Promise<void>((resolve, reject) => {
        asked.push(batch.map(({ deliveryId }) => deliveryId));
        settle = { resolve, reject };
        onAsked();
      }),
    answer: () => settled(settle.resolve),
    refuse: () => settled(() => settle.reject(new Error('not ready'))),
    isAsked: (times: number) =>
      new Promise<void>((resolve) => {
        onAsked = () => asked.length >= times && resolve();
        onAsked();
      }),
  };
}
