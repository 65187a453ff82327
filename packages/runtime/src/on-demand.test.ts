import { expect, test } from '@jest/globals';
import { onDemand } from './on-demand.js';

function setup() {
  const loads: Load[] = [];
  const get = onDemand(() => new Promise<string>((resolve, reject) => loads.push({ resolve, reject })));
  return { get, loads };
}
type Load = { resolve: (value: string) => void; reject: (error: Error) => void };

test('nothing is loaded before somebody asks', () => {
  expect(setup().loads).toHaveLength(0);
});

test('ten who ask at once wait for one load, and those who come later for none', async () => {
  const { get, loads } = setup();
  const asked = Array.from({ length: 10 }, get);
  loads[0]?.resolve('it');
  expect(await Promise.all(asked)).toEqual(Array(10).fill('it'));
  expect(await get()).toBe('it');
  expect(loads).toHaveLength(1);
});

test('a load that failed is told to all who waited, and the next who asks tries again', async () => {
  const { get, loads } = setup();
  const asked = Promise.allSettled([get(), get()]);
  loads[0]?.reject(new Error('the disk is away'));
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = get();
  loads[1]?.resolve('it');
  expect(await again).toBe('it');
});
