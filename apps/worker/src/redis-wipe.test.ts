import { expect, test } from '@jest/globals';
import { createWipeCheck, type WipeDeps } from './redis-wipe.js';

test('the epoch that is on record: nothing was wiped, nothing is done', async () => {
  const { check, did } = setup({ epochOnRecord: async () => 'new' });
  expect(await check()).toBe(0);
  expect(did).toEqual([]);
});

test('another epoch: deadlines are brought forward in steps, swept in between, and the epoch is remembered last', async () => {
  const { check, did } = setup({ unfinished: 25_000 });
  expect(await check()).toBe(12_500);
  expect(did).toEqual([
    'wiped 25000 for 12500 ms',
    'moved 10000 from 0',
    'swept',
    'moved 10000 from 10000',
    'swept',
    'moved 5000 from 20000',
    'swept',
    'remembered new',
  ]);
});

test('the first epoch ever is no wipe, but what is unfinished is looked for', async () => {
  const { check, did } = setup({ unfinished: 3, epochOnRecord: async () => null });
  await check();
  expect(did).toEqual(['moved 3 from 0', 'swept', 'remembered new']);
});

test('a step that fails leaves the epoch as it was, so that the next beat begins again', async () => {
  const away = new Error('Postgres is away');
  const { check, did } = setup({ unfinished: 3, sweep: () => Promise.reject(away) });
  await expect(check()).rejects.toBe(away);
  expect(did).not.toContain('remembered new');
});

function setup({ unfinished = 0, ...overrides }: Partial<WipeDeps> & { unfinished?: number }) {
  const did: string[] = [];
  const startsAt = new Date(0);
  const check = createWipeCheck({
    epochInRedis: async () => 'new',
    epochOnRecord: async () => 'old',
    rememberEpoch: async (epoch) => void did.push(`remembered ${epoch}`),
    planWave: async ({ perSecond }) => ({
      startsAt,
      endsAt: new Date((unfinished / perSecond) * 1_000),
      perSecond,
      unfinished,
    }),
    rearmForWave: async (_wave, { limit, offset }) => {
      const moved = Math.min(limit, unfinished - offset);
      did.push(`moved ${moved} from ${offset}`);
      return moved;
    },
    sweep: async () => void did.push('swept'),
    observe: (wipe) => did.push(`wiped ${wipe.unfinished} for ${wipe.lastsMs} ms`),
    ...overrides,
  });
  return { check, did };
}
