import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { aWakeUp, type Run, setupQueue } from './setup-queue.js';
import { isTakingJobs } from './taking-jobs.js';

const RETRY = { kind: 'retry' as const, delayMs: 1, reason: 'refused', generation: 1 };

let close = async () => {};
afterEach(() => close());

test('a delivery that is done is run once, and its job completed', async () => {
  const { queue, run, job } = await consume(() => ({ kind: 'done' }));
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  expect(run).toEqual([{ deliveryId: job.deliveryId, generation: 1, endpointId: job.endpointId }]);
});

test('a retry comes after the delay the policy chose, on time, and spends one attempt', async () => {
  const startedAt: number[] = [];
  const { queue, job } = await consume(() => {
    startedAt.push(Date.now());
    return startedAt.length === 1
      ? { kind: 'retry', delayMs: 230, reason: 'the receiver answered 500', generation: 1 }
      : { kind: 'done' };
  });
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  const [first = 0, second = 0] = startedAt;
  expect(second - first).toBeGreaterThanOrEqual(230);
  expect(second - first).toBeLessThan(230 + 150);
  expect(await queue.getJob(job.id)).toMatchObject({
    attemptsMade: 2,
    failedReason: 'driftwire: the receiver answered 500',
  });
});

test('a delivery that failed is in the failed tab with its reason, whatever attempts the job has left', async () => {
  const { queue, run } = await consume(() => ({ kind: 'failed', reason: 'exhausted: the receiver answered 500' }));
  const [failed] = await until(async () => {
    const jobs = await queue.getFailed();
    return jobs.length > 0 && jobs;
  });
  expect(failed?.failedReason).toBe('driftwire: exhausted: the receiver answered 500');
  expect(run).toHaveLength(1);
});

test('a snooze spends nothing: after ten of them the job still has all its attempts', async () => {
  let snoozes = 0;
  const { queue, job, run } = await consume(() => {
    snoozes += 1;
    return snoozes <= 10
      ? { kind: 'snooze', delayMs: 5 }
      : { kind: 'retry', delayMs: 5, reason: 'refused', generation: 1 };
  });
  await until(() => queue.getFailedCount().then((count) => count === 1));
  expect(run).toHaveLength(10 + job.maxAttempts);
});

test('the row decides how many attempts a job has', async () => {
  const { queue, run } = await consume(() => RETRY, { maxAttempts: 5 });
  await until(() => queue.getFailedCount().then((count) => count === 1));
  expect(run).toHaveLength(5);
});

test('a reason that BullMQ reads as a command is only a reason', async () => {
  const { queue, run } = await consume(() => ({ ...RETRY, reason: 'bullmq:rateLimitExceeded' }));
  await until(() => queue.getFailedCount().then((count) => count === 1));
  expect(run).toHaveLength(3);
});

test('malformed data is reported once and dropped, and others flow', async () => {
  const { queue, malformed, run, producer } = await consume(() => ({ kind: 'done' }), null);
  await queue.add('deliver', { deliveryId: 'no uuid' }, { jobId: 'broken', attempts: 3 });
  await producer.addJobs([aWakeUp()]);
  await until(() => queue.getCompletedCount().then((count) => count === 2));
  expect(malformed).toEqual(['broken']);
  expect(run).toHaveLength(1);
});

test('a list entry without its job is reported and dropped, and keeps nobody waiting', async () => {
  const { malformed, run, producer, redis } = await consume(() => ({ kind: 'done' }), null);
  await until(() => isTakingJobs(redis));
  await redis?.lpush('test:deliveries:wait', 'ghost-1');
  await producer.addJobs([aWakeUp(), aWakeUp()]);
  await until(() => run.length === 2 && malformed.length === 1);
  expect(malformed).toEqual(['ghost-1']);
  await until(() => producer.countWaiting().then((count) => count === 0));
});

test('a job with more in it than this version knows is run', async () => {
  const { queue, malformed, run } = await consume(() => ({ kind: 'done' }), null);
  const { deliveryId, generation } = aWakeUp();
  await queue.add('deliver', { deliveryId, generation, addedNextYear: true }, { jobId: 'newer', attempts: 3 });
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  expect(malformed).toEqual([]);
  expect(run).toEqual([{ deliveryId, generation }]);
});

test('one delivery enqueued 50 times under four consumers runs once', async () => {
  const { queue, run, producer } = await consume(() => ({ kind: 'done' }), null, { consumers: 4 });
  const wakeUp = aWakeUp();
  await Promise.all(Array.from({ length: 50 }, () => producer.addJobs([wakeUp])));
  const last = aWakeUp();
  await producer.addJobs([last]);
  await until(() => queue.getCompletedCount().then((count) => count === 2));
  expect(run.filter(({ deliveryId }) => deliveryId === wakeUp.deliveryId)).toHaveLength(1);
});

test('finished jobs are kept for the dashboard, at most 1,000 of each kind', async () => {
  const { queue, producer, run } = await consume(
    () => (run.length % 2 === 0 ? { kind: 'done' } : { kind: 'failed', reason: 'exhausted' }),
    null,
  );
  for (let batch = 0; batch < 5; batch += 1) await producer.addJobs(Array.from({ length: 440 }, () => aWakeUp()));
  await until(async () => run.length === 2_200 && (await queue.getActiveCount()) === 0);
  expect(await queue.getJobCounts('completed', 'failed', 'wait', 'delayed')).toEqual({
    completed: 1_000,
    failed: 1_000,
    wait: 0,
    delayed: 0,
  });
});

test('of a long rush only the first thousand completed jobs and a part of the others are kept', async () => {
  const { queue, producer, run } = await consume(() => ({ kind: 'done' }), null);
  for (let batch = 0; batch < 5; batch += 1) await producer.addJobs(Array.from({ length: 400 }, () => aWakeUp()));
  await until(async () => run.length === 2_000 && (await queue.getActiveCount()) === 0);
  const kept = new Set((await queue.getCompleted()).map((job) => job.data.deliveryId));
  expect(kept.size).toBe(1_000);
  expect(run.slice(1_000).filter(({ deliveryId }) => kept.has(deliveryId)).length).toBeLessThan(500);
});

test.each([undefined, null, 'a string', 7])(
  'a processor that throws %p fails its job with a reason, and others flow',
  async (thrown) => {
    const { queue, job, producer } = await consume(
      ({ deliveryId }) => {
        if (deliveryId === job.deliveryId) throw thrown;
        return { kind: 'done' };
      },
      { maxAttempts: 1 },
    );
    await until(() => queue.getFailedCount().then((count) => count === 1));
    expect((await queue.getJob(job.id))?.failedReason).toBe(`driftwire: a bug threw ${thrown}`);
    await producer.addJobs([aWakeUp()]);
    await until(() => queue.getCompletedCount().then((count) => count === 1));
  },
);

test('a job that lost its lock while it ran keeps its place and its attempts, and others flow', async () => {
  let loseLock = async () => {};
  const { queue, job, producer, errors, redis } = await consume(async ({ deliveryId }) => {
    if (deliveryId !== job.deliveryId) return { kind: 'done' };
    await loseLock();
    return { kind: 'snooze', delayMs: 1 };
  }, null);
  loseLock = async () => {
    await redis?.del(`test:deliveries:${job.id}:lock`);
  };
  await producer.addJobs([job]);
  await until(() => errors.some((error) => /lock/i.test(error.message)));
  await producer.addJobs([aWakeUp()]);
  await until(() => queue.getCompletedCount().then((count) => count === 1));
  const lost = await queue.getJob(job.id);
  expect(lost?.attemptsMade).toBe(0);
  expect(await lost?.getState()).toBe('active');
});

test('close waits for a delivery in flight and takes no other', async () => {
  let finish = () => {};
  const { producer, queue, run, consumers, redis } = await consume(
    () => new Promise((resolve) => (finish = () => resolve({ kind: 'done' }))),
  );
  await until(async () => run.length === 1 && (await isTakingJobs(redis)));
  const closed = consumers[0]?.close(5_000);
  await until(async () => !(await isTakingJobs(redis)));
  await producer.addJobs([aWakeUp()]);
  finish();
  await closed;
  expect(run).toHaveLength(1);
  expect(await queue.getJobCounts('completed', 'wait')).toEqual({ completed: 1, wait: 1 });
});

test('a consumer holds no more jobs than it runs, however many come together', async () => {
  const endings: (() => void)[] = [];
  const { producer, queue } = await consume(
    () => new Promise((resolve) => endings.push(() => resolve({ kind: 'done' }))),
    null,
    { concurrency: 6 },
  );
  await producer.addJobs(Array.from({ length: 20 }, () => aWakeUp()));
  await until(() => endings.length === 6);
  expect(await queue.getJobCounts('active', 'wait')).toEqual({ active: 6, wait: 14 });
  endings[5]?.();
  await until(() => endings.length === 7);
  expect(await queue.getJobCounts('active', 'wait')).toEqual({ active: 6, wait: 13 });
  for (let ended = 0; ended < 20; ended += 1) {
    await until(() => endings.length > ended);
    endings[ended]?.();
  }
});

test('jobs that were taken together and have not begun when the consumer closes are given back', async () => {
  const closing: Promise<void>[] = [];
  const { producer, queue, run, consumers, redis } = await consume(() => {
    closing.push(...consumers.map((consumer) => consumer.close(5_000)));
    return { kind: 'done' };
  }, null);
  await until(() => isTakingJobs(redis));
  await producer.addJobs(Array.from({ length: 4 }, () => aWakeUp()));
  await until(() => closing.length > 0);
  await Promise.all(closing);
  expect(run).toHaveLength(1);
  expect(await queue.getJobCounts('active', 'wait', 'completed')).toEqual({ active: 0, wait: 3, completed: 1 });
});

/** One consumer that runs one job, unless told otherwise; `run` is what it ran. */
async function consume(
  ending: Run,
  job: Parameters<typeof aWakeUp>[0] | null = {},
  options: Parameters<typeof setupQueue>[1] = {},
) {
  const run: Parameters<Run>[0][] = [];
  const wakeUp = aWakeUp(job ?? {});
  const setup = await setupQueue((one) => {
    run.push(one);
    return ending(one);
  }, options);
  close = setup.close;
  if (job !== null) await setup.producer.addJobs([wakeUp]);
  return { ...setup, run, job: wakeUp };
}
