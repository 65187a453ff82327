import type { OverdueDelivery } from '@driftwire/database';
import type { DeliveryWakeUp, JobPresence } from '@driftwire/queue';
import { expect, test } from '@jest/globals';
import { createSweep, type SweepDeps, type SweptBatch } from './sweep.js';

const MINUTE_MS = 60_000;

test('a missing job is enqueued again under the same id', async () => {
  const { sweep, added, rearmed } = setup({ batches: [[overdue('a', 3)]], holds: { a: 'missing' } });
  await sweep();
  expect(added).toEqual([wakeUp('a', 3)]);
  expect(rearmed).toEqual([]);
});

test('a job that finished without finishing its delivery is replaced by the next generation', async () => {
  const { sweep, added } = setup({ batches: [[overdue('a', 3)]], holds: { a: 'finished' } });
  await sweep();
  expect(added).toEqual([wakeUp('a', 4)]);
});

test('a job that merely waits is left alone, and looked at again in about a quarter of an hour', async () => {
  const { sweep, added, rearmed } = setup({ batches: [[overdue('a')]], holds: { a: 'unfinished' } });
  await sweep();
  expect(added).toEqual([]);
  expect(rearmed).toEqual([{ ids: ['a'], afterMs: 15.5 * MINUTE_MS }]);
});

test('a job in no list, which nobody will ever take, is replaced by the next generation', async () => {
  const { sweep, added, rearmed, observed } = setup({ batches: [[overdue('a', 3)]], holds: { a: 'stray' } });
  await sweep();
  expect(added).toEqual([wakeUp('a', 4)]);
  expect(rearmed).toEqual([]);
  expect(observed).toMatchObject([{ stray: 1, finished: 0, waiting: 0 }]);
});

test('a job that sleeps longer than its delivery is woken; one whose delivery is not due yet sleeps on', async () => {
  const { sweep, added, rearmed, woken, observed } = setup({
    batches: [[overdue('late'), overdue('early')]],
    holds: { late: 'asleep', early: 'asleep' },
    dueAmong: async () => new Set(['late']),
  });
  await sweep();
  expect(woken).toEqual(['late']);
  expect(added).toEqual([]);
  expect(rearmed).toEqual([{ ids: ['late', 'early'], afterMs: 15.5 * MINUTE_MS }]);
  expect(observed).toMatchObject([{ asleep: 1, waiting: 1 }]);
});

test('bundles that are gone, or over, are made anew: their deliveries share jobs again; a job of its own is added again', async () => {
  const inBundle = (id: string) => ({ ...overdue(id, 3), jobId: 'before' });
  const { sweep, added } = setup({
    batches: [[overdue('own', 3), inBundle('gone'), inBundle('over'), inBundle('alone')]],
    holds: { over: 'finished' },
    takeNextGenerations: async (bundled) =>
      bundled.map((one, index) => ({ ...one, generation: 4, jobId: ['y', 'x', 'y'][index] ?? null })),
  });
  await sweep();
  expect(added.map(({ deliveryId, generation, jobId }) => [deliveryId, generation, jobId])).toEqual([
    ['own', 3, null],
    ['over', 4, 'y'],
    ['gone', 4, 'x'],
    ['alone', 4, 'y'],
  ]);
});

test('one that was claimed or recorded while its job was looked at gets no new job', async () => {
  const { sweep, added } = setup({
    batches: [[overdue('a')]],
    holds: { a: 'finished' },
    takeNextGenerations: async () => [],
  });
  await sweep();
  expect(added).toEqual([]);
});

test('full batches are followed by another, until one comes back short', async () => {
  const full = Array.from({ length: 1_000 }, (_, index) => overdue(`${index}`));
  const { sweep, added, observed } = setup({ batches: [full, full, [overdue('last')]] });
  await sweep();
  expect(added).toHaveLength(2_001);
  expect(observed).toHaveLength(3);
});

test('a delivery in flight is left to its worker, and counts for a full batch all the same', async () => {
  const flying = Array.from({ length: 1_000 }, (_, index) => ({ ...overdue(`${index}`), isInFlight: true }));
  const { sweep, added, rearmed } = setup({ batches: [flying, [overdue('last')]] });
  await sweep();
  expect(added).toEqual([wakeUp('last', 1)]);
  expect(rearmed).toEqual([]);
});

test('what was found is told, interrupted deliveries among the missing', async () => {
  const batch = [overdue('a'), { ...overdue('b'), isInterrupted: true }, overdue('c'), overdue('d')];
  const { sweep, observed } = setup({ batches: [batch], holds: { c: 'finished', d: 'unfinished' } });
  await sweep();
  expect(observed).toEqual([{ overdue: 4, interrupted: 1, missing: 2, finished: 1, stray: 0, asleep: 0, waiting: 1 }]);
});

test.each(['lookAtJobs', 'addJobs'] as const)('when Redis is lost at %s, all are due again in 5 s', async (step) => {
  const lost = new Error('Redis is not ready');
  const { sweep, rearmed } = setup({ batches: [[overdue('a'), overdue('b')]], [step]: () => Promise.reject(lost) });
  await expect(sweep()).rejects.toBe(lost);
  expect(rearmed).toEqual([{ ids: ['a', 'b'], afterMs: 5_000 }]);
});

function overdue(deliveryId: string, generation = 1): OverdueDelivery {
  return { ...wakeUp(deliveryId, generation), recoverAt: new Date(), isInFlight: false, isInterrupted: false };
}

function wakeUp(deliveryId: string, generation: number) {
  return { deliveryId, generation, endpointId: 'everything', jobId: null, maxAttempts: 3 };
}

type Options = Partial<SweepDeps> & { batches: OverdueDelivery[][]; holds?: Record<string, JobPresence> };

/** What Redis does not hold is missing. */
function setup({ batches, holds = {}, ...overrides }: Options) {
  const added: DeliveryWakeUp[] = [];
  const rearmed: { ids: string[]; afterMs: number }[] = [];
  const observed: SweptBatch[] = [];
  const woken: string[] = [];
  const sweep = createSweep({
    armOverdue: async () => batches.shift() ?? [],
    lookAtJobs: async (jobs) => jobs.map(({ deliveryId }) => holds[deliveryId] ?? 'missing'),
    dueAmong: async () => new Set(),
    wakeJobs: async (jobs) => void woken.push(...jobs.map(({ deliveryId }) => deliveryId)),
    takeNextGenerations: async (finished) => finished.map((one) => ({ ...one, generation: one.generation + 1 })),
    addJobs: async (jobs) => void added.push(...jobs),
    rearm: async (deliveries, { afterMs }) => {
      if (deliveries.length > 0) rearmed.push({ ids: deliveries.map(({ deliveryId }) => deliveryId), afterMs });
    },
    observe: (batch) => observed.push(batch),
    random: () => 0.5,
    ...overrides,
  });
  return { sweep, added, rearmed, observed, woken };
}
