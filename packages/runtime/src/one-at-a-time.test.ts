import { expect, test } from '@jest/globals';
import { oneAtATime } from './one-at-a-time.js';

test('each waits for the one before, whatever becomes of it, and has its own answer', async () => {
  const run = oneAtATime();
  const steps: string[] = [];
  const step = (name: string) => async () => {
    steps.push(`${name} begins`);
    await new Promise(setImmediate);
    steps.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const answers = await Promise.allSettled([run(step('a')), run(step('b'))]);
  expect(answers).toMatchObject([{ reason: { message: 'a failed' } }, { value: 'b' }]);
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});
