import { expect, test } from '@jest/globals';
import { atPace } from './steady-load.js';

test('acts as often as told, whether or not what it did before is over', async () => {
  const begun: number[] = [];
  let finish = () => {};
  const last = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const acted = atPace({ perSecond: 1_000, seconds: 0.005 }, async (n) => {
    begun.push(n);
    if (n === 4) finish();
    await last;
    return n;
  });
  expect(await acted).toEqual([0, 1, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('nothing at all takes no time', async () => {
  expect(await atPace({ perSecond: 0, seconds: 60 }, async () => 'never')).toEqual([]);
});

test('what fails in between is told at the end', async () => {
  const begun: number[] = [];
  const acting = atPace({ perSecond: 1_000, seconds: 0.01 }, async (n) => {
    begun.push(n);
    if (n === 0) throw new Error('refused');
  });
  await expect(acting).rejects.toThrow('refused');
  expect(begun).toHaveLength(10);
});
