import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  planRearmWave,
  type RearmWave,
  readQueueEpoch,
  rearmForWave,
  recordAttempts,
  rememberQueueEpoch,
} from '../src/index.js';
import { aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(() => at.deleteDeliveries());
afterAll(() => at.close());

const plan = (perSecond: number) => planRearmWave(at.prisma, { perSecond });
const step = (wave: RearmWave, { limit = 1000, offset = 0 } = {}) => rearmForWave(at.prisma, wave, { limit, offset });
const lastsMs = (wave: RearmWave) => wave.endsAt.getTime() - wave.startsAt.getTime();

/** In seconds from the start of the wave. */
async function deadlines(wave: RearmWave, ids: readonly string[]): Promise<number[]> {
  const rows = await Promise.all(ids.map((id) => at.delivery(id)));
  return rows.map(({ recoverAt }) => ((recoverAt?.getTime() ?? 0) - wave.startsAt.getTime()) / 1000);
}

test('there is no epoch before the first, and only the newest afterwards', async () => {
  expect(await readQueueEpoch(at.prisma)).toBeNull();
  await rememberQueueEpoch(at.prisma, 'first');
  const before = await at.prisma.queueEpoch.findFirstOrThrow();
  await rememberQueueEpoch(at.prisma, 'second');
  expect(await readQueueEpoch(at.prisma)).toBe('second');
  const [row, ...others] = await at.prisma.queueEpoch.findMany();
  expect(others).toEqual([]);
  expect(row?.noticedAt.getTime()).toBeGreaterThanOrEqual(before.noticedAt.getTime());
});

test('sweepers that remember an epoch at the same moment do not fail each other', async () => {
  for (let time = 1; time <= 10; time += 1) {
    await at.prisma.queueEpoch.deleteMany();
    await Promise.all(Array.from({ length: 8 }, () => rememberQueueEpoch(at.prisma, 'new')));
    expect(await readQueueEpoch(at.prisma)).toBe('new');
  }
});

test('a wave counts what is unfinished, in flight or not, and lasts as long as that takes', async () => {
  await at.deliveries(10, { recoverInMs: 60_000 });
  const [flying, finished] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  await at.claim(flying.id);
  await recordAttempts(at.prisma, [aRecord(await at.claim(finished.id))]);
  const wave = await plan(4);
  expect(wave).toMatchObject({ unfinished: 11, perSecond: 4 });
  expect(lastsMs(wave)).toBe(2_750);
});

test('beyond its limit a wave counts no rows, and goes by what the index was last known to hold', async () => {
  await at.deliveries(300, { recoverInMs: 60_000 });
  const bounded = () => planRearmWave(at.prisma, { perSecond: 100, countLimit: 120 });
  expect((await bounded()).unfinished).toBe(120);
  await at.prisma.$executeRaw`ANALYZE deliveries`;
  const wave = await bounded();
  expect(wave.unfinished).toBe(300);
  expect(lastsMs(wave)).toBe(3_000);
});

test('a wave over nothing is over at once', async () => {
  const wave = await plan(4);
  expect(wave.unfinished).toBe(0);
  expect(lastsMs(wave)).toBe(0);
  expect(await step(wave)).toBe(0);
});

test('the first are overdue at once, as many follow each second, in the order of their deadlines', async () => {
  const ids = await at.deliveries(7, { recoverInMs: 60_000 });
  const wave = await plan(3);
  expect(await step(wave)).toBe(7);
  expect(await deadlines(wave, ids)).toEqual([0, 0, 0, 1, 1, 1, 2]);
});

test('step by step it is the same wave, and a step that moves less than its limit is the last', async () => {
  const ids = await at.deliveries(7, { recoverInMs: 60_000 });
  const wave = await plan(3);
  const moved = [await step(wave, { limit: 4 }), await step(wave, { limit: 4, offset: 4 })];
  expect(moved).toEqual([4, 3]);
  expect(await deadlines(wave, ids)).toEqual([0, 0, 0, 1, 1, 1, 2]);
});

test('what comes on top of the plan gets the end of the wave', async () => {
  const ids = await at.deliveries(2, { recoverInMs: 60_000 });
  const wave = await plan(1);
  await step(wave, { offset: 50 });
  expect(await deadlines(wave, ids)).toEqual([2, 2]);
});

test('deadlines that have passed or lie inside the wave are left alone', async () => {
  const ids = await at.deliveries(6, { recoverInMs: -1_500 });
  const wave = await plan(1);
  const before = await Promise.all(ids.map((id) => at.delivery(id)));
  expect(lastsMs(wave)).toBe(6_000);
  expect(await step(wave)).toBe(0);
  expect(await Promise.all(ids.map((id) => at.delivery(id)))).toEqual(before);
});

test('a delivery in flight is left alone; one whose lease has run out is not', async () => {
  const [flying, interrupted] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  await at.claim(flying.id);
  await at.claim(interrupted.id, { leaseMs: 0 });
  await at.setDeadline(interrupted.id, 60_000);
  const [before, lost] = [await at.delivery(flying.id), await at.delivery(interrupted.id)];
  const wave = await plan(100);
  expect(await step(wave)).toBe(1);
  expect(await at.delivery(flying.id)).toEqual(before);
  expect(await at.delivery(interrupted.id)).toEqual({ ...lost, recoverAt: wave.startsAt });
});

test('a finished delivery gets no deadline', async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id))]);
  await at.deliveries(1, { recoverInMs: 60_000 });
  const before = await at.delivery(id);
  expect(await step(await plan(1))).toBe(1);
  expect(await at.delivery(id)).toEqual(before);
});

test('doing it again does no harm: neither a repeated step nor a second wave moves anything', async () => {
  const ids = await at.deliveries(5, { recoverInMs: 60_000 });
  const wave = await plan(2);
  await step(wave);
  expect(await step(wave)).toBe(0);
  expect(await step(await plan(2))).toBe(0);
  expect(await deadlines(wave, ids)).toEqual([0, 0, 1, 1, 2]);
});

test('a locked delivery delays nobody', async () => {
  const [locked = '', free = ''] = await at.deliveries(2, { recoverInMs: 60_000 });
  const unlock = await at.lock(locked);
  const startedAt = performance.now();
  const wave = await plan(1);
  expect(await step(wave)).toBe(1);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await unlock();
  expect(await deadlines(wave, [free])).toEqual([0]);
});
