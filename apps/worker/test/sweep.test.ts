import { until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type SweeperSetup, setupSweeper } from './setup-sweeper.js';

let at: SweeperSetup;
beforeEach(async () => {
  at = await setupSweeper();
});
afterEach(() => at.close());

const generations = () => at.prisma.delivery.groupBy({ by: ['generation'], _count: true });

test('100,000 jobs that merely wait stay 100,000, however often they are swept; a lost one is found', async () => {
  const ids = await at.deliveries(100_000);
  await at.addJobs(ids);
  for (let beat = 1; beat <= 2; beat += 1) {
    await Promise.all([at.sweep(), at.sweep()]);
    await at.passDeadlines();
  }
  expect(await at.jobs()).toBe(100_000);
  expect(await generations()).toEqual([{ generation: 1, _count: 100_000 }]);

  const [lost] = await at.deliveries(1);
  await Promise.all([at.sweep(), at.sweep()]);
  expect(await at.jobs()).toBe(100_001);
  expect(await at.queue.getJob(`${lost}-1`)).toBeDefined();
}, 120_000);

test('after the wiping of a Redis with 20,000 jobs the first are back at once, all within rows ÷ 1,000 seconds, none twice', async () => {
  await at.recoverWiped();
  const ids = [...(await at.deliveries(15_000, { dueInS: 900 })), ...(await at.deliveries(5_000, { dueInS: 3_600 }))];
  await at.addJobs(ids);
  await at.flush();
  const startedAt = performance.now();
  const waveMs = await at.recoverWiped();
  const firstMs = performance.now() - startedAt;
  expect(await at.jobs()).toBeGreaterThan(0);
  await until(
    async () => {
      await at.sweep();
      return (await at.jobs()) === ids.length;
    },
    { deadlineMs: 20_000 },
  );
  const allMs = performance.now() - startedAt;
  console.info(`the first after ${Math.round(firstMs)} ms, all ${ids.length} after ${Math.round(allMs)} ms`);
  expect(waveMs).toBe(10_000);
  expect(await generations()).toEqual([{ generation: 1, _count: 20_000 }]);
  expect(await at.recoverWiped()).toBe(0);
}, 60_000);

test('three sweepers share 10,000 overdue deliveries: bounded batches, each delivery once, nobody waits for ever', async () => {
  await at.deliveries(10_000);
  await Promise.all([at.sweep(), at.sweep(), at.sweep()]);
  expect(await at.jobs()).toBe(10_000);
  expect(at.swept.reduce((sum, { missing }) => sum + missing, 0)).toBe(10_000);
  expect(Math.max(...at.swept.map(({ overdue }) => overdue))).toBe(1_000);
}, 60_000);

test('a delivery that was interrupted gets one new job, although its lease stays run out while that job waits', async () => {
  const [id = ''] = await at.deliveries(1);
  await at.addJobs([id]);
  await at.prisma.$executeRaw`
    UPDATE deliveries SET starts = 1, claimed_generation = 1, last_attempt_at = now(), lease_expires_at = now() - interval '1 s'`;
  for (let beat = 1; beat <= 4; beat += 1) {
    await at.sweep();
    await at.passDeadlines();
  }
  expect(await generations()).toEqual([{ generation: 2, _count: 1 }]);
  expect(await at.queue.getJob(`${id}-2`)).toBeDefined();
  expect(await at.jobs()).toBe(2);
});

test('a job that BullMQ failed for good is replaced', async () => {
  const [id = ''] = await at.deliveries(1);
  await at.addJobs([id]);
  await at.redis.hset(`test:deliveries:${id}-1`, 'finishedOn', Date.now());
  await at.sweep();
  expect(await generations()).toEqual([{ generation: 2, _count: 1 }]);
  expect(await at.queue.getJob(`${id}-2`)).toBeDefined();
});

test('a locked delivery delays nobody, and is found at the next beat', async () => {
  const ids = await at.deliveries(2);
  await at.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM deliveries WHERE id = ${ids[0]}::uuid FOR UPDATE`;
    await at.sweep();
    expect(await at.jobs()).toBe(1);
  });
  await at.sweep();
  expect(await at.jobs()).toBe(2);
});
