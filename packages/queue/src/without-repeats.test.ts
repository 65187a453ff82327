import { expect, test } from '@jest/globals';
import { withoutRepeats } from './without-repeats.js';

test('the first error is told at once, its repeats only as a number, 10 s later', () => {
  const { tell, told, pass } = setup();
  tell('READONLY');
  for (let repeat = 1; repeat <= 1_000; repeat += 1) tell('READONLY');
  expect(told).toEqual(['READONLY, 0 more']);
  pass(10_000);
  tell('READONLY');
  expect(told).toEqual(['READONLY, 0 more', 'READONLY, 1000 more']);
  pass(10_000);
  tell('READONLY');
  expect(told.at(-1)).toBe('READONLY, 0 more');
});

test('another error is told all the same', () => {
  const { tell, told } = setup();
  tell('READONLY');
  tell('OOM');
  expect(told).toEqual(['READONLY, 0 more', 'OOM, 0 more']);
});

test('the same error of another job is a repeat', () => {
  const { tell, told } = setup();
  tell('Missing lock for job 0192f0c1-7a52-7c3e-8a1b-3c5d7e9f0a1b-1');
  tell('Missing lock for job 0192f0c1-7a52-7c3e-8a1b-3c5d7e9f0a1c-2');
  expect(told).toHaveLength(1);
});

function setup() {
  let now = 0;
  const told: string[] = [];
  const listen = withoutRepeats(
    ({ message }, repeats) => told.push(`${message}, ${repeats} more`),
    () => now,
  );
  return {
    told,
    tell: (message: string) => listen(new Error(message)),
    pass: (ms: number) => {
      now += ms;
    },
  };
}
