import { expect, test } from '@jest/globals';
import { dropExpiredDays, type RetentionDeps } from './retention.js';

function setup(days: string[], broken: Partial<RetentionDeps> = {}) {
  const did: string[] = [];
  const deps: RetentionDeps = {
    expiredDays: async () => days,
    dropDay: async (day) => {
      did.push(`drop ${day}`);
      return { day, became: 'dropped', purgedKeys: 0 };
    },
    observe: { dropped: ({ day, became }) => did.push(`${became} ${day}`) },
    ...broken,
  };
  return { did, drop: () => dropExpiredDays(deps) };
}

test('the oldest day goes first', async () => {
  const { did, drop } = setup(['2026-01-01', '2026-01-02']);
  await drop();
  expect(did).toEqual(['drop 2026-01-01', 'dropped 2026-01-01', 'drop 2026-01-02', 'dropped 2026-01-02']);
});

test('a day that has to stay keeps no later one from going', async () => {
  const { did, drop } = setup(['2026-01-01', '2026-01-02'], {
    dropDay: async (day) => ({ day, became: day === '2026-01-01' ? 'unfinished' : 'dropped', purgedKeys: 0 }),
  });
  await drop();
  expect(did).toEqual(['unfinished 2026-01-01', 'dropped 2026-01-02']);
});
