import { expect, test } from '@jest/globals';
import { createFold } from './fold.js';

test('calls that overlap run once; only the first is no twin', async () => {
  const fold = createFold<number>();
  let runs = 0;
  const run = async () => {
    runs += 1;
    return runs;
  };
  expect(await Promise.all([fold('k', run), fold('k', run), fold('other', run)])).toEqual([
    { answer: 1, isTwin: false },
    { answer: 1, isTwin: true },
    { answer: 2, isTwin: false },
  ]);
  expect(await fold('k', run)).toEqual({ answer: 3, isTwin: false });
});

test('a failure is shared and then forgotten', async () => {
  const fold = createFold<number>();
  const fail = () => Promise.reject(new Error('away'));
  const settled = await Promise.allSettled([fold('k', fail), fold('k', fail)]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await fold('k', async () => 1)).toEqual({ answer: 1, isTwin: false });
});
