import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type SweeperSetup, setupSweeper } from './setup-sweeper.js';

let at: SweeperSetup;
beforeEach(async () => {
  at = await setupSweeper();
});
afterEach(() => at.close());

const QUARTER_OF_AN_HOUR_S = 900;
const key = (name: string) => `test:deliveries:${name}`;
const waiting = () => at.redis.lrange(key('wait'), 0, -1);

test('a job hash in no list is found at the first look, and its delivery gets the next generation', async () => {
  const ids = await at.deliveries(3);
  const [stray] = ids;
  await at.addJobs(ids);
  await at.redis.lrem(key('wait'), 1, `${stray}-1`);
  await at.sweep();
  expect(new Set(await waiting())).toEqual(new Set([`${stray}-2`, ...ids.slice(1).map((id) => `${id}-1`)]));
  expect(at.swept).toMatchObject([{ overdue: 3, stray: 1, waiting: 2 }]);
});

test.each(['active', 'prioritized'])('a job that is %s is where it should be', async (list) => {
  const [id] = await at.deliveries(1);
  await at.addJobs([`${id}`]);
  await at.redis.lrem(key('wait'), 1, `${id}-1`);
  await (list === 'active' ? at.redis.lpush(key(list), `${id}-1`) : at.redis.zadd(key(list), 1, `${id}-1`));
  await at.sweep();
  expect(at.swept).toMatchObject([{ stray: 0, waiting: 1 }]);
  expect(await waiting()).toEqual([]);
});

test('behind a long queue a job that was lost before the oldest that waits is found, and those that wait are left alone', async () => {
  const [stray] = await at.deliveries(1);
  await at.addJobs([`${stray}`]);
  await at.redis.del(key('wait'));
  await at.redis.hset(key(`${stray}-1`), 'timestamp', Date.now() - 60_000);
  const ids = await at.deliveries(20_000);
  await at.addJobs(ids);
  await at.sweep();
  expect(await at.queue.getJob(`${stray}-2`)).toBeDefined();
  expect(
    await at.prisma.delivery.groupBy({ by: ['generation'], _count: true, orderBy: { generation: 'asc' } }),
  ).toEqual([
    { generation: 1, _count: 20_000 },
    { generation: 2, _count: 1 },
  ]);
}, 60_000);

test.each([
  ['ten minutes off, for it was delayed by a clock that was ahead', 600_000],
  ['two minutes ago, for the clock of the only worker is behind', -120_000],
])('a delivery is due, and its job wakes %s: it is woken', async (_, dueInMs) => {
  const [id] = await at.deliveries(1);
  await at.addJobs([`${id}`]);
  await delayed(`${id}-1`, dueInMs);
  await at.sweep();
  expect(at.swept).toMatchObject([{ asleep: 1, stray: 0 }]);
  expect(await waiting()).toEqual([`${id}-1`]);
  await at.passDeadlines();
  await at.sweep();
  expect(await waiting()).toEqual([`${id}-1`]);
});

test.each([
  ['is put off for some seconds', -1, 20_000],
  ['sleeps until its delivery is due', 600, 600_000],
])('a job that %s is left asleep', async (_, dueInS, wakesInMs) => {
  const [id] = await at.deliveries(1, { dueInS });
  await at.addJobs([`${id}`]);
  await delayed(`${id}-1`, wakesInMs);
  await at.passDeadlines();
  await at.sweep();
  expect(at.swept).toMatchObject([{ asleep: 0, stray: 0, waiting: 1 }]);
  expect(await waiting()).toEqual([]);
});

test('a list entry without its hash is no job: another is added, and once run it is replaced', async () => {
  const [id] = await at.deliveries(1);
  await at.redis.lpush(key('wait'), `${id}-1`);
  await at.sweep();
  expect(at.swept).toMatchObject([{ missing: 1 }]);
  expect(await at.redis.hget(key(`${id}-1`), 'data')).toContain(`${id}`);

  // What BullMQ makes of an entry that it has run: a hash without anything that was added.
  await at.redis.del(key(`${id}-1`), key('wait'));
  await at.redis.hset(key(`${id}-1`), 'processedOn', 1, 'finishedOn', 2);
  await at.passDeadlines();
  await at.sweep();
  expect(await waiting()).toEqual([`${id}-2`]);
});

test('with nothing waiting in Redis what is overdue is enqueued at once, though its deadline is a quarter of an hour off', async () => {
  const overdue = await at.deliveries(2_500);
  await at.deliveries(1, { dueInS: 60 });
  await at.prisma.$executeRaw`
    UPDATE deliveries SET recover_at = now() + ${QUARTER_OF_AN_HOUR_S}::int * interval '1 s',
      next_attempt_at = next_attempt_at - interval '1 min' WHERE next_attempt_at < now()`;
  const [flying, fresh] = overdue;
  await at.prisma
    .$executeRaw`UPDATE deliveries SET lease_expires_at = now() + interval '20 s' WHERE id = ${flying}::uuid`;
  await at.prisma.$executeRaw`UPDATE deliveries SET next_attempt_at = now() WHERE id = ${fresh}::uuid`;
  await at.recoverIdle();
  await at.recoverIdle();
  const expected = overdue.slice(2).map((id) => `${id}-1`);
  expect((await waiting()).sort().join()).toBe(expected.sort().join());
  expect(await at.prisma.delivery.groupBy({ by: ['generation'], _count: true })).toEqual([
    { generation: 1, _count: 2_501 },
  ]);
}, 30_000);

/** As BullMQ delays a job that waits. */
async function delayed(jobId: string, wakesInMs: number): Promise<void> {
  await at.redis.lrem(key('wait'), 1, jobId);
  await at.redis.zadd(key('delayed'), (Date.now() + wakesInMs) * 0x1000, jobId);
}
