import { expect, test } from '@jest/globals';
import { createIdleRecovery } from './idle-recovery.js';

test.each<[number, string[]]>([
  [0, []],
  [1, ['swept 1']],
  [1_000, ['swept 1000']],
  [2_500, ['swept 1000', 'swept 1000', 'swept 500']],
])('%i overdue deliveries are brought forward in steps, and swept after each', async (overdue, steps) => {
  expect(await recovered(overdue)).toEqual(steps);
});

test('of very many a beat takes ten thousand', async () => {
  expect(await recovered(25_000)).toHaveLength(10);
});

test('those whose jobs are where they should be are not looked at again and again', async () => {
  expect(await recovered(5_000, 0)).toEqual(['swept 1000']);
});

async function recovered(overdue: number, found = 1): Promise<string[]> {
  const did: string[] = [];
  let left = overdue;
  let forward = 0;
  await createIdleRecovery({
    bringForward: async ({ limit }) => {
      forward = Math.min(limit, left);
      left -= forward;
      return forward;
    },
    sweep: async () => {
      did.push(`swept ${forward}`);
      return found;
    },
  })();
  return did;
}
