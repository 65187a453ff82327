import { expect, test } from '@jest/globals';
import { createPause, createTurns, type Pause } from './turns.js';

const LARGE = 1024 * 1024;

test('long work lets others go on in between, and never holds them up for long', async () => {
  let longestMs = 0;
  let lastAt = performance.now();
  const others = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastAt);
    lastAt = performance.now();
  }, 1);
  await createTurns().inTurn(LARGE, (pause) => busy(150, pause));
  clearInterval(others);
  expect(longestMs).toBeGreaterThan(0);
  // A turn takes 5 ms; the rest is for a busy machine.
  expect(longestMs).toBeLessThan(100);
});

test('long works go one after another, whatever becomes of the one before', async () => {
  const { inTurn } = createTurns();
  const steps: string[] = [];
  const work = (name: string) => async (pause: Pause) => {
    steps.push(`${name} begins`);
    await busy(25, pause);
    steps.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const works = await Promise.allSettled(['a', 'b'].map((name) => inTurn(LARGE, work(name))));
  expect(works.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('short work waits for no long one', async () => {
  const { inTurn } = createTurns();
  const ended: string[] = [];
  const long = inTurn(LARGE, (pause) => busy(50, pause)).then(() => ended.push('long'));
  await inTurn(100, async () => ended.push('short'));
  await long;
  expect(ended).toEqual(['short', 'long']);
});

test('between its turns long work waits for short ones, and not for ever', async () => {
  const { inTurn, first } = createTurns();
  const ended: string[] = [];
  const long = inTurn(LARGE, (pause) => busy(20, pause)).then(() => ended.push('long'));
  let answer = () => {};
  const endless = first(
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  );
  const short = first(async () => void (await new Promise(setImmediate))).then(() => ended.push('short'));
  await short;
  expect(ended).toEqual(['short']);
  await long;
  answer();
  await endless;
  expect(ended).toEqual(['short', 'long']);
});

test('where short work came lately, long work rests between its turns', async () => {
  const { inTurn, first } = createTurns();
  await first(async () => {});
  let restedMs = 0;
  await inTurn(LARGE, async (pause) => {
    for (let turn = 0; turn < 5; turn += 1) {
      await busy(5, () => undefined);
      const pausedAt = performance.now();
      await pause();
      restedMs += performance.now() - pausedAt;
    }
  });
  // Five rests of 5 ms, which a timer may cut by one each.
  expect(restedMs).toBeGreaterThanOrEqual(20);
});

test('a pause costs nothing before its turn is over', () => {
  expect(createPause(async () => {})()).toBeUndefined();
});

async function busy(ms: number, pause: Pause): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await pause();
}
