import { expect, test } from '@jest/globals';
import { keepPartitions, type RetentionDeps } from './retention.js';

function setup(days: string[], broken: Partial<RetentionDeps> = {}) {
  const did: string[] = [];
  const deps: RetentionDeps = {
    makePartitionsAhead: async () => {
      did.push('make');
      return 2;
    },
    expiredDays: async () => days,
    dropDay: async (day) => {
      did.push(`drop ${day}`);
      return { day, became: 'dropped', purgedKeys: 0 };
    },
    observe: {
      made: (made) => did.push(`made ${made}`),
      dropped: ({ day, became }) => did.push(`${became} ${day}`),
    },
    ...broken,
  };
  return { did, keep: () => keepPartitions(deps) };
}

test('the days to come are made before anything is dropped, the oldest day goes first', async () => {
  const { did, keep } = setup(['2026-01-01', '2026-01-02']);
  await keep();
  expect(did).toEqual([
    'make',
    'made 2',
    'drop 2026-01-01',
    'dropped 2026-01-01',
    'drop 2026-01-02',
    'dropped 2026-01-02',
  ]);
});

test('a day that has to stay keeps no later one from going', async () => {
  const { did, keep } = setup(['2026-01-01', '2026-01-02'], {
    makePartitionsAhead: async () => 0,
    dropDay: async (day) => ({ day, became: day === '2026-01-01' ? 'unfinished' : 'dropped', purgedKeys: 0 }),
  });
  await keep();
  expect(did).toEqual(['unfinished 2026-01-01', 'dropped 2026-01-02']);
});
