import { until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bundleId, type SweeperSetup, setupSweeper } from './setup-sweeper.js';

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

test('100,000 deliveries in bundles that merely wait keep their jobs, however often they are swept', async () => {
  const ids = await at.deliveries(100_000);
  await at.addBundles(ids, 50);
  expect(await at.jobs()).toBe(2_000);
  for (let beat = 1; beat <= 2; beat += 1) {
    await Promise.all([at.sweep(), at.sweep()]);
    await at.passDeadlines();
  }
  expect(await at.jobs()).toBe(2_000);
  expect(await generations()).toEqual([{ generation: 1, _count: 100_000 }]);
  expect(at.swept.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(200_000);
}, 120_000);

test('of a bundle that is gone the deliveries share new jobs, and nobody else does; one in flight is left alone', async () => {
  const [flying = '', ...ids] = await at.deliveries(100);
  await at.addBundles([flying, ...ids], 50);
  await at.prisma.$executeRaw`
    UPDATE deliveries SET starts = 1, claimed_generation = 1, last_attempt_at = now(), lease_expires_at = now() + interval '30 s'
    WHERE id = ${flying}::uuid`;
  await at.redis.del(`test:deliveries:bundle-${bundleId(0)}`);
  await at.sweep();
  const rows = await at.prisma.delivery.groupBy({ by: ['generation', 'jobId'], _count: true });
  const sizes = (generation: number) => rows.filter((row) => row.generation === generation).map(({ _count }) => _count);
  expect(sizes(1).sort()).toEqual([1, 50]);
  expect(sizes(2).sort()).toEqual([12, 12, 12, 13]);
  for (const { generation, jobId } of rows) {
    const job = await at.queue.getJob(`bundle-${jobId}`);
    expect(job === undefined).toBe(jobId === bundleId(0));
    if (generation === 2) expect(1 + job?.data.others.length).toBe(rows.find((row) => row.jobId === jobId)?._count);
  }
  await at.passDeadlines();
  await at.sweep();
  expect(await generations()).toHaveLength(2);
});

test('a bundle that is over although a delivery of it is not is replaced; an interrupted one gets a job of its own', async () => {
  const [open = '', interrupted = '', ...ended] = await at.deliveries(4);
  await at.addBundles([open, interrupted, ...ended], 4);
  await at.redis.hset(`test:deliveries:bundle-${bundleId(0)}`, 'finishedOn', Date.now());
  await at.prisma.$executeRaw`
    UPDATE deliveries SET status = 'success', completed_at = now(), recover_at = NULL, next_attempt_at = NULL
    WHERE id = ANY (${ended}::uuid[])`;
  await at.prisma.$executeRaw`
    UPDATE deliveries SET starts = 1, claimed_generation = 1, last_attempt_at = now(), lease_expires_at = now() - interval '1 s'
    WHERE id = ${interrupted}::uuid`;
  await at.sweep();
  expect(await at.queue.getJob(`${open}-2`)).toMatchObject({ name: 'deliver' });
  expect(await at.queue.getJob(`${interrupted}-2`)).toMatchObject({ name: 'deliver' });
  expect(await at.prisma.delivery.count({ where: { generation: 2, jobId: null } })).toBe(2);
});

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
