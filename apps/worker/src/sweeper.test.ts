import { expect, test } from '@jest/globals';
import { createSweeper, type SweeperDeps } from './sweeper.js';
import type { Vitals } from './watchdog.js';

test('a beat measures what is overdue, asks the watchdog, looks for a wipe and sweeps', async () => {
  const { oneBeat, did, asked } = setup();
  await oneBeat();
  expect(did).toEqual(['overdue 2', 'looked for a wipe', 'swept']);
  expect(asked).toEqual([{ postgres: true, redis: true, overdue: 2, waiting: 3, inFlight: 1 }]);
});

test('without Redis it measures and does not sweep', async () => {
  const { oneBeat, did, asked } = setup({ redisTakesWrites: async () => false });
  await oneBeat();
  expect(did).toEqual(['overdue 2']);
  expect(asked).toMatchObject([{ redis: false }]);
});

test('without Postgres it reports that, and the watchdog knows', async () => {
  const { oneBeat, did, asked } = setup({ summarizeOverdue: () => Promise.reject(new Error('away')) });
  await oneBeat();
  expect(did).toEqual(['failed: away']);
  expect(asked).toMatchObject([{ postgres: false, overdue: 0 }]);
});

test('a paused queue is swept, and is no reason to call the worker wedged', async () => {
  const { oneBeat, did, asked } = setup({ queueIsPaused: async () => true });
  await oneBeat();
  expect(did).toContain('swept');
  expect(asked).toMatchObject([{ redis: false }]);
});

test('deliveries are overdue while nothing waits: they are looked for before the sweep', async () => {
  const { oneBeat, did } = setup({ countWaiting: async () => 0 });
  await oneBeat();
  expect(did).toEqual(['overdue 2', 'looked for a wipe', 'recovered an idle queue', 'swept']);
});

test.each<[string, Partial<SweeperDeps>]>([
  ['nothing is overdue', { summarizeOverdue: async () => ({ count: 0, oldestMs: 0 }) }],
  ['a job waits', { countWaiting: async () => 1 }],
  ['nobody knows', { countWaiting: () => Promise.reject(new Error('Redis is not ready')) }],
])('no queue is idle while %s', async (_, deps) => {
  const { oneBeat, did } = setup({ countWaiting: async () => 0, ...deps });
  await oneBeat();
  expect(did).not.toContain('recovered an idle queue');
});

test('a worker that Redis refuses is not wedged: another would not be given jobs either', async () => {
  const { oneBeat, asked } = setup({ isRefused: () => true });
  await oneBeat();
  expect(asked).toMatchObject([{ redis: false }]);
});

test('a wedged worker ends', async () => {
  const { oneBeat, did } = setup({ isWedged: () => true });
  await oneBeat();
  expect(did[0]).toBe('exited');
});

test('a sweep that fails is reported', async () => {
  const { oneBeat, did } = setup({ sweep: () => Promise.reject(new Error('Redis is not ready')) });
  await oneBeat();
  expect(did.at(-1)).toBe('failed: Redis is not ready');
});

test('a look for a wipe that fails is reported, and does not keep the beat from sweeping', async () => {
  const { oneBeat, did } = setup({ recoverWiped: () => Promise.reject(new Error('statement timeout')) });
  await oneBeat();
  expect(did).toEqual(['overdue 2', 'failed: statement timeout', 'swept']);
});

test('while a wave of recovery lasts, beats come every half second', async () => {
  let beats = 0;
  const startedAt = performance.now();
  const { sweeper } = setup({
    recoverWiped: async () => 60_000,
    sweep: async () => {
      beats += 1;
      if (beats === 2) sweeper.stop();
    },
  });
  await sweeper.run();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(490);
  expect(performance.now() - startedAt).toBeLessThan(2_500);
});

function setup(overrides: Partial<SweeperDeps> = {}) {
  const did: string[] = [];
  const asked: Vitals[] = [];
  const sweeper = createSweeper({
    summarizeOverdue: async () => ({ count: 2, oldestMs: 7_000 }),
    redisTakesWrites: async () => true,
    isRefused: () => false,
    queueIsPaused: async () => false,
    countWaiting: async () => 3,
    recoverIdle: async () => void did.push('recovered an idle queue'),
    inFlight: () => 1,
    isWedged: (vitals) => {
      asked.push(vitals);
      return false;
    },
    exitWedged: () => did.push('exited'),
    recoverWiped: async () => {
      did.push('looked for a wipe');
      return 0;
    },
    sweep: async () => void did.push('swept'),
    observe: {
      overdue: ({ count }) => did.push(`overdue ${count}`),
      failed: (error) => did.push(`failed: ${error instanceof Error ? error.message : error}`),
    },
    random: () => 0,
    ...overrides,
  });
  /** Stopped before it runs, it would not beat at all: so it is stopped while it does. */
  const oneBeat = async () => {
    const running = sweeper.run();
    sweeper.stop();
    await running;
  };
  return { sweeper, oneBeat, did, asked };
}
