import { expect, test } from '@jest/globals';
import { recordUntil } from './record-until.js';

const away = new Error('Postgres is away');

test('a write is repeated until it works', async () => {
  let writes = 0;
  const write = async () => {
    writes += 1;
    if (writes < 3) throw away;
    return 'recorded';
  };
  expect(await recordUntil(write, { isWorthRepeating: () => true, isOver: () => false })).toBe('recorded');
  expect(writes).toBe(3);
});

test('it is given up when the lease is ending', async () => {
  let writes = 0;
  const write = async () => {
    writes += 1;
    throw away;
  };
  await expect(recordUntil(write, { isWorthRepeating: () => true, isOver: () => writes === 2 })).rejects.toBe(away);
  expect(writes).toBe(2);
});

test('an error that will not pass is not repeated', async () => {
  let writes = 0;
  const write = async () => {
    writes += 1;
    throw new TypeError('a bug');
  };
  const isWorthRepeating = (error: unknown) => error === away;
  await expect(recordUntil(write, { isWorthRepeating, isOver: () => false })).rejects.toThrow('a bug');
  expect(writes).toBe(1);
});
