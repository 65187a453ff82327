import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  armOverdueDeliveries,
  type Claim,
  claimDeliveries,
  connectDatabase,
  DRIFTWIRE,
  planRearmWave,
  rearmDeliveries,
  rearmForWave,
  recordAttempts,
  retryFinishedDelivery,
  takeNextGenerations,
} from '../src/index.js';
import { holdStatement } from './held-statement.js';
import { aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

// A delivery changes, and the change is committed, after a statement took its snapshot and before it locks the row: what it
// locks is the new version, and what it sees beside the lock is the old one. Every value must come from the new one.

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(() => at.deleteDeliveries());
afterAll(() => at.close());

const ARMING = { limit: 1000, rearmMs: 30_000 };
const holdArming = () => holdStatement(at, (prisma) => armOverdueDeliveries(prisma, ARMING));

async function anOverdueDelivery() {
  const { id } = await at.aDelivery();
  await at.setDeadline(id, -10_000);
  return id;
}

test('a sweep that meets a claim gives the delivery in flight the end of its lease as deadline', async () => {
  const id = await anOverdueDelivery();
  const sweep = await holdArming();
  await at.claim(id);
  const armed = await sweep.release();
  const row = await at.delivery(id);
  expect(armed).toMatchObject([{ deliveryId: id, isInFlight: true, isInterrupted: false, generation: 1 }]);
  expect(row.leaseExpiresAt).not.toBeNull();
  expect(row.recoverAt).toEqual(row.leaseExpiresAt);
});

test('a sweep that meets a claim whose worker was lost takes the next generation once', async () => {
  const id = await anOverdueDelivery();
  const sweep = await holdArming();
  await at.claim(id, { leaseMs: -60_000 });
  expect(await sweep.release()).toMatchObject([{ deliveryId: id, isInterrupted: true, generation: 2 }]);
  expect(await at.delivery(id)).toMatchObject({ generation: 2, claimedGeneration: 1 });
});

test.each([
  { what: 'a failure on record', outcome: toRetry(60_000) },
  { what: 'the end of the delivery', outcome: {} },
])('a sweep that meets $what leaves the delivery alone', async ({ outcome }) => {
  const id = await anOverdueDelivery();
  const claim = await at.claim(id, { leaseMs: 0 });
  const sweep = await holdArming();
  await recordAttempts(at.prisma, [aRecord(claim, outcome)]);
  const before = await at.delivery(id);
  expect(await sweep.release()).toEqual([]);
  expect(await at.delivery(id)).toEqual(before);
});

test('one delivery that changes does not keep a thousand others from being swept', async () => {
  const ids = await at.deliveries(1_000, { dueInMs: -2_000_000, recoverInMs: -2_000_000 });
  const sweep = await holdArming();
  await at.claim(ids[500] ?? '');
  expect(await sweep.release()).toHaveLength(1_000);
});

test('a claim that meets a manual retry claims the new round, with its number', async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id), toFailed())]);
  const claim = await holdStatement(at, (prisma) =>
    claimDeliveries(prisma, [{ deliveryId: id, generation: 2 }], { leaseMs: 60_000 }),
  );
  await retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE);
  expect(await claim.release()).toMatchObject([{ verdict: 'claimed', claim: { round: 2, fence: 2, failedCount: 0 } }]);
  expect(await at.delivery(id)).toMatchObject({
    status: 'pending',
    round: 2,
    fence: 2,
    starts: 1,
    failureReason: null,
  });
});

test('a claim that meets another claim has to wait', async () => {
  const { id } = await at.aDelivery();
  const claim = await holdStatement(at, (prisma) =>
    claimDeliveries(prisma, [{ deliveryId: id, generation: 1 }], { leaseMs: 60_000 }),
  );
  await at.claim(id);
  const before = await at.delivery(id);
  expect(await claim.release()).toMatchObject([{ verdict: 'wait' }]);
  expect(await at.delivery(id)).toEqual(before);
});

test('a claim that meets the record of a failure counts on from there', async () => {
  const { id } = await at.aDelivery();
  const first = await at.claim(id);
  const claim = await holdStatement(at, (prisma) =>
    claimDeliveries(prisma, [{ deliveryId: id, generation: 1 }], { leaseMs: 60_000 }),
  );
  await recordAttempts(at.prisma, [aRecord(first, toRetry(0))]);
  expect(await claim.release()).toMatchObject([{ verdict: 'claimed', claim: { fence: 2, failedCount: 1 } }]);
  expect(await at.delivery(id)).toMatchObject({ status: 'retrying', fence: 2, starts: 2, failedCount: 1 });
});

/** Its lease has run out, so that the statements below look at the clock before they lock it. */
async function anInterruptedDelivery() {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: -60_000 });
  return id;
}

test.each([
  { what: 'next generation', run: takeNextGenerations },
  {
    what: 'other deadline',
    run: (...[prisma, overdue]: Parameters<typeof takeNextGenerations>) =>
      rearmDeliveries(prisma, overdue, { afterMs: 900_000 }),
  },
])('a delivery that is claimed meanwhile gets no $what', async ({ run }) => {
  const id = await anInterruptedDelivery();
  const overdue = await armOverdueDeliveries(at.prisma, ARMING);
  expect(overdue).toMatchObject([{ deliveryId: id, generation: 2 }]);
  const statement = await holdStatement(at, async (prisma) => run(prisma, overdue));
  await at.claim(id, { generation: 2 });
  const before = await at.delivery(id);
  await statement.release();
  expect(await at.delivery(id)).toEqual(before);
});

test('a wave leaves a delivery alone that is claimed meanwhile', async () => {
  const id = await anInterruptedDelivery();
  await at.setDeadline(id, 60_000);
  const wave = await planRearmWave(at.prisma, { perSecond: 1_000 });
  const step = await holdStatement(at, (prisma) => rearmForWave(prisma, wave, { limit: 10, offset: 0 }));
  await at.claim(id);
  const before = await at.delivery(id);
  expect(await step.release()).toBe(0);
  expect(await at.delivery(id)).toEqual(before);
});

test('a backlog of 15,000 is swept while workers claim: no statement fails, and every delivery gets a deadline ahead', async () => {
  const COUNT = 15_000;
  const ids = await at.deliveries(COUNT, { dueInMs: -COUNT * 1_000 - 10_000, recoverInMs: -COUNT * 1_000 - 5_000 });
  const unclaimed = interleaved(ids);
  const worker = async () => {
    while (unclaimed.length > 0) {
      const jobs = unclaimed.splice(0, 20).map((deliveryId) => ({ deliveryId, generation: 1 }));
      await claimDeliveries(at.direct, jobs, { leaseMs: 600_000 });
    }
  };
  const sweeper = async () => {
    while (unclaimed.length > 0) await armOverdueDeliveries(at.prisma, { limit: 1_000, rearmMs: 1 });
  };
  await Promise.all([worker(), worker(), worker(), sweeper(), sweeper()]);
  let armed = 1_000;
  while (armed === 1_000) armed = (await armOverdueDeliveries(at.prisma, { limit: 1_000, rearmMs: 600_000 })).length;
  expect(await at.prisma.delivery.count({ where: { recoverAt: { lte: new Date() } } })).toBe(0);
  expect(await at.prisma.delivery.count({ where: { recoverAt: { gt: new Date() } } })).toBeGreaterThanOrEqual(COUNT);
}, 120_000);

/** The claims come from all over the backlog, so that every batch of a sweep meets some. */
function interleaved(ids: readonly string[]): string[] {
  const rows = Math.ceil(ids.length / 20);
  return Array.from({ length: rows }, (_, row) => ids.filter((_, index) => index % rows === row)).flat();
}

// With one plan for all days Postgres 18 loses rows that an UPDATE finds changed, and others after them: adr/0011.

test('whatever sweeps meanwhile, a claim that is answered is there to be recorded, and a record is repeated until it moves', async () => {
  const worker = connectDatabase({
    url: at.url,
    applicationName: 'w',
    poolSize: 6,
    plans: 'generic',
    onConnectionLost: () => {},
  });
  const ids = await at.deliveries(3_000, {});
  await at.prisma.$executeRaw`UPDATE deliveries SET max_attempts = 1000, next_attempt_at = now(), recover_at = now()`;
  const free = new Set(ids);
  const meant = { claims: 0, moved: 0, repeated: 0 };
  const lost: string[] = [];

  async function record(claims: readonly Claim[]): Promise<void> {
    const records = claims.map((claim) => aRecord(claim, toRetry(0)));
    const answers = await recordAttempts(worker.prisma, records);
    meant.moved += answers.filter(({ moved }) => moved).length;
    lost.push(...answers.filter(({ moved, locked }) => !moved && !locked).map(({ deliveryId }) => deliveryId));
    const again = claims.filter(({ deliveryId }) => answers.some((one) => one.deliveryId === deliveryId && one.locked));
    meant.repeated += again.length;
    if (again.length > 0) await record(again);
  }

  async function work(): Promise<void> {
    while (meant.claims < 4_000) {
      const taken = Array.from({ length: 20 }, () => ids[Math.floor(Math.random() * ids.length)] ?? '').filter((id) =>
        free.has(id),
      );
      for (const id of taken) free.delete(id);
      const jobs = [...new Set(taken)].map((deliveryId) => ({ deliveryId, generation: 1 }));
      const answers = await claimDeliveries(worker.direct, jobs, { leaseMs: 600_000 });
      const claims = answers.flatMap((answer) => (answer.verdict === 'claimed' ? [answer.claim] : []));
      meant.claims += claims.length;
      await record(claims);
      for (const id of taken) free.add(id);
    }
  }

  async function sweep(): Promise<void> {
    while (meant.claims < 4_000) {
      const overdue = await armOverdueDeliveries(worker.prisma, { limit: 1_000, rearmMs: 1 });
      await rearmDeliveries(
        worker.prisma,
        overdue.filter((_, index) => index % 3 > 0),
        { afterMs: 1 },
      );
      await delay(2);
    }
  }

  await Promise.all([work(), work(), work(), sweep(), sweep()]).finally(worker.close);
  expect(lost).toEqual([]);
  expect(meant.moved).toBe(meant.claims);
  expect(await at.prisma.attempt.count({ where: { deliveryId: { in: ids } } })).toBe(meant.claims);
  // Or nothing was met, and nothing shown.
  expect(meant.repeated).toBeGreaterThan(0);
}, 60_000);
