import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  armOverdueDeliveries,
  DRIFTWIRE,
  type OverdueDelivery,
  rearmDeliveries,
  recordAttempts,
  releaseClaim,
  retryFinishedDelivery,
  takeNextGenerations,
} from '../src/index.js';
import { aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(() => at.deleteDeliveries());
afterAll(() => at.close());

const arm = ({ limit = 1000, rearmMs = 30_000 } = {}) => armOverdueDeliveries(at.prisma, { limit, rearmMs });
const idsOf = (overdue: readonly OverdueDelivery[]) => overdue.map(({ deliveryId }) => deliveryId);

/** As if a delivery's deadline had passed just now, and a sweeper had come by. */
async function sweep(id: string): Promise<OverdueDelivery> {
  await at.setDeadline(id, -1);
  const overdue = (await arm()).find(({ deliveryId }) => deliveryId === id);
  if (overdue === undefined) throw new Error('not overdue');
  return overdue;
}

test('only what is past its deadline is overdue, and the oldest deadlines come first', async () => {
  const [oldest, older, old] = await at.deliveries(3, { recoverInMs: -10_000 });
  const notYet = await at.deliveries(1, { recoverInMs: 1_000 });
  expect(new Set(idsOf(await arm({ limit: 2 })))).toEqual(new Set([oldest, older]));
  expect(idsOf(await arm({ limit: 2 }))).toEqual([old]);
  expect(await at.delivery(notYet[0] ?? '')).toMatchObject({ generation: 1 });
});

test('a finished delivery is never overdue', async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id))]);
  expect(await arm()).toEqual([]);
});

test('what is overdue is armed anew before anything else: a second sweep right after gets nothing', async () => {
  const [id = ''] = await at.deliveries(1, { recoverInMs: -1_000 });
  const before = await at.delivery(id);
  const [overdue] = await arm({ rearmMs: 30_000 });
  expect(await arm()).toEqual([]);
  const recoverAt = (await at.delivery(id)).recoverAt;
  expect(overdue).toEqual({
    deliveryId: id,
    generation: 1,
    endpointId: before.endpointId,
    jobId: null,
    maxAttempts: 3,
    recoverAt,
    isInFlight: false,
    isInterrupted: false,
  });
  expect((recoverAt?.getTime() ?? 0) - (before.recoverAt?.getTime() ?? 0)).toBeGreaterThan(30_000);
  expect(await at.delivery(id)).toEqual({ ...before, recoverAt });
});

test('a locked delivery delays nobody and is found by the next sweep', async () => {
  const [locked = '', free] = await at.deliveries(2, { recoverInMs: -10_000 });
  const unlock = await at.lock(locked);
  const startedAt = performance.now();
  expect(idsOf(await arm())).toEqual([free]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await unlock();
  expect(idsOf(await arm())).toEqual([locked]);
});

test('three sweepers over 10,000 overdue deliveries share them in bounded batches, each taken once, without a deadlock', async () => {
  await at.deliveries(10_000, { recoverInMs: -20_000_000 });
  const batches = (await Promise.all([sweepUntilShort(), sweepUntilShort(), sweepUntilShort()])).flat();
  expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(1000);
  expect(batches.flat()).toHaveLength(10_000);
  expect(new Set(idsOf(batches.flat())).size).toBe(10_000);
}, 60_000);

async function sweepUntilShort(): Promise<OverdueDelivery[][]> {
  const batches = [await arm({ rearmMs: 600_000 })];
  while (batches.at(-1)?.length === 1000) batches.push(await arm({ rearmMs: 600_000 }));
  return batches;
}

test('an interrupted delivery takes its next generation once, however often it is swept while its lease stays run out', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: 0 });
  expect(await sweep(id)).toMatchObject({ generation: 2, isInterrupted: true });
  for (let again = 1; again <= 3; again += 1) {
    expect(await sweep(id)).toMatchObject({ generation: 2, isInterrupted: false });
  }
});

test('and the next one again when the worker of its new job is lost too', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: 0 });
  await sweep(id);
  await at.claim(id, { leaseMs: 0, generation: 2 });
  expect(await sweep(id)).toMatchObject({ generation: 3, isInterrupted: true });
  expect(await sweep(id)).toMatchObject({ generation: 3, isInterrupted: false });
});

test('a job whose second attempt lost its worker is replaced like one whose first did', async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id), toRetry(0))]);
  await at.claim(id, { leaseMs: 0 });
  expect(await sweep(id)).toMatchObject({ generation: 2, isInterrupted: true });
});

test('the deadline of an interrupted delivery has passed as soon as its lease has: no grace on top', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: 0 });
  expect(await arm()).toMatchObject([{ deliveryId: id, isInterrupted: true }]);
});

test('a delivery in flight only has its deadline moved to the end of its lease', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id);
  await at.setDeadline(id, -1);
  const [armed] = await arm();
  const row = await at.delivery(id);
  expect(armed).toMatchObject({ deliveryId: id, generation: 1, isInFlight: true, isInterrupted: false });
  expect(row.recoverAt).toEqual(row.leaseExpiresAt);
  expect(await arm()).toEqual([]);
});

test('nobody was interrupted where an outcome is on record, or the claim was given back', async () => {
  const [retrying, released] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  await recordAttempts(at.prisma, [aRecord(await at.claim(retrying.id), toRetry(0))]);
  await releaseClaim(at.prisma, await at.claim(released.id), { dueInMs: 0 });
  for (const { id } of [retrying, released]) {
    expect(await sweep(id)).toMatchObject({ generation: 1, isInterrupted: false });
  }
});

test("a manual retry's job is its own: lost before its first claim, it comes back under the same generation", async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id), toFailed())]);
  await retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE);
  expect(await at.delivery(id)).toMatchObject({ generation: 2, claimedGeneration: 1 });
  expect(await sweep(id)).toMatchObject({ generation: 2, isInterrupted: false });
  await at.claim(id, { leaseMs: 0, generation: 2 });
  expect(await sweep(id)).toMatchObject({ generation: 3, isInterrupted: true });
});

test('a job that finished without its delivery is replaced under the next generation, and can claim no more', async () => {
  const { id } = await at.aDelivery();
  const overdue = await sweep(id);
  expect(await takeNextGenerations(at.prisma, [overdue])).toEqual([{ ...overdue, generation: 2 }]);
  expect((await at.delivery(id)).recoverAt).toEqual(overdue.recoverAt);
  expect((await at.ask(id, { generation: 1 })).verdict).toBe('superseded');
  expect((await at.ask(id, { generation: 2 })).verdict).toBe('claimed');
});

test('a delivery that merely waits gets a deadline far away and keeps its generation', async () => {
  const { id } = await at.aDelivery();
  const overdue = await sweep(id);
  const before = await at.delivery(id);
  await rearmDeliveries(at.prisma, [overdue], { afterMs: 900_000.5 });
  const row = await at.delivery(id);
  expect((row.recoverAt?.getTime() ?? 0) - overdue.recoverAt.getTime()).toBeGreaterThan(869_000);
  expect(row).toEqual({ ...before, recoverAt: row.recoverAt });
});

/** What comes between: prepared before the sweep, done after it. A delivery in flight is swept once its lease has run out. */
const inBetween: { what: string; prepare: (id: string) => Promise<() => Promise<unknown>> }[] = [
  { what: 'a claim', prepare: async (id) => () => at.claim(id) },
  { what: 'a claim whose worker was lost', prepare: async (id) => () => at.claim(id, { leaseMs: 0 }) },
  { what: 'another sweep', prepare: async (id) => () => sweep(id) },
  { what: 'a failure on record', prepare: async (id) => recordOf(id, toRetry(0)) },
  { what: 'the end of the delivery', prepare: async (id) => recordOf(id, {}) },
  { what: 'a claim given back', prepare: async (id) => releaseOf(id) },
  { what: 'a manual retry', prepare: async (id) => endAndRetryOf(id) },
];

async function recordOf(id: string, outcome: Parameters<typeof aRecord>[1]) {
  const claim = await at.claim(id, { leaseMs: 0 });
  return () => recordAttempts(at.prisma, [aRecord(claim, outcome)]);
}

async function releaseOf(id: string) {
  const claim = await at.claim(id, { leaseMs: 0 });
  return () => releaseClaim(at.prisma, claim, { dueInMs: 0 });
}

async function endAndRetryOf(id: string) {
  const end = await recordOf(id, toFailed());
  return async () => {
    await end();
    await retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE);
  };
}

test.each(inBetween)('$what since the sweep wins: neither a generation nor a deadline is set', async ({ prepare }) => {
  const [touched, untouched] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const happens = await prepare(touched.id);
  const overdue = [await sweep(touched.id), await sweep(untouched.id)];
  await happens();
  const before = await at.delivery(touched.id);
  expect(idsOf(await takeNextGenerations(at.prisma, overdue))).toEqual([untouched.id]);
  await rearmDeliveries(at.prisma, overdue, { afterMs: 900_000 });
  expect(await at.delivery(touched.id)).toEqual(before);
  expect((await at.delivery(untouched.id)).recoverAt?.getTime()).toBeGreaterThan(Date.now() + 800_000);
});

test('a delivery locked since the sweep is left alone at once', async () => {
  const [locked, free] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const overdue = [await sweep(locked.id), await sweep(free.id)];
  const unlock = await at.lock(locked.id);
  const startedAt = performance.now();
  expect(idsOf(await takeNextGenerations(at.prisma, overdue))).toEqual([free.id]);
  await rearmDeliveries(at.prisma, overdue, { afterMs: 900_000 });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await unlock();
  expect(await at.delivery(locked.id)).toMatchObject({ generation: 1, recoverAt: overdue[0]?.recoverAt });
});

test('two sweepers with the same deliveries in opposite order do not wait for each other', async () => {
  await at.deliveries(500, { recoverInMs: -1_000_000 });
  const overdue = await arm();
  const orders = [overdue, overdue.toReversed()];
  const rearmings = orders.map((order) => rearmDeliveries(at.prisma, order, { afterMs: 900_000 }));
  const generations = orders.map((order) => takeNextGenerations(at.prisma, order));
  await expect(Promise.all([...rearmings, ...generations])).resolves.toHaveLength(4);
}, 20_000);

test('of no deliveries at all, none takes a generation or a deadline', async () => {
  const { id } = await at.aDelivery();
  const before = await at.delivery(id);
  expect(await takeNextGenerations(at.prisma, [])).toEqual([]);
  await rearmDeliveries(at.prisma, [], { afterMs: 0 });
  expect(await at.delivery(id)).toEqual(before);
});
