import { expect, test } from '@jest/globals';
import { createBacklogWatch } from './backlog-watch.js';

/** A measurement that answers when it is told to, on a clock that stands still. */
function setup() {
  const clock = { ms: 0 };
  const looks: { resolve: (ms: number) => void; reject: (error: Error) => void }[] = [];
  const measure = () => new Promise<number>((resolve, reject) => looks.push({ resolve, reject }));
  const backlogMs = createBacklogWatch(measure, { everyMs: 1_000, now: () => clock.ms });
  const settle = () => new Promise(setImmediate);
  return { clock, looks, backlogMs, settle };
}

test('nobody waits for a look: what it finds is for the next who ask', async () => {
  const { looks, backlogMs, settle } = setup();
  expect(backlogMs()).toBe(0);
  looks[0]?.resolve(700);
  await settle();
  expect(backlogMs()).toBe(700);
});

test('one look for everybody who asks within the interval', () => {
  const { clock, looks, backlogMs } = setup();
  for (clock.ms = 0; clock.ms < 2_000; clock.ms += 100) backlogMs();
  expect(looks).toHaveLength(2);
});

test('what was found long ago says nothing', async () => {
  const { clock, looks, backlogMs, settle } = setup();
  backlogMs();
  looks[0]?.resolve(700);
  await settle();
  clock.ms = 3_000;
  expect(backlogMs()).toBe(0);
});

test('a look that fails finds nothing', async () => {
  const { looks, backlogMs, settle } = setup();
  backlogMs();
  looks[0]?.reject(new Error('Postgres is away'));
  await settle();
  expect(backlogMs()).toBe(0);
});
