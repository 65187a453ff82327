import { expect, test } from '@jest/globals';
import { repeatInBackground } from './background.js';

test('the work is done at once, again and again, never twice at a time, and no more once stopped', async () => {
  let [begun, underWay, most] = [0, 0, 0];
  const enough = deferred();
  const background = repeatInBackground(
    async () => {
      begun += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      await turn();
      underWay -= 1;
      if (begun === 3) enough.resolve(undefined);
    },
    { everyMs: 0, afterFailureMs: 60_000, onFailure: () => {} },
  );
  expect(begun).toBe(1);
  await enough.promise;
  await background.stop();
  const atStop = begun;
  expect(underWay).toBe(0);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect([begun, most]).toEqual([atStop, 1]);
});

test('a failure is told, and the work is tried again after the shorter wait', async () => {
  const failures: unknown[] = [];
  const again = deferred();
  const background = repeatInBackground(
    async () => {
      if (failures.length < 2) throw new Error(`failure ${failures.length + 1}`);
      again.resolve(undefined);
    },
    { everyMs: 60_000, afterFailureMs: 1, onFailure: (error) => failures.push(error) },
  );
  await again.promise;
  await background.stop();
  expect(failures).toEqual([new Error('failure 1'), new Error('failure 2')]);
});

/** Of the event loop, timers included. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

function deferred() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
