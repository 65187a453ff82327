import { expect, test } from '@jest/globals';
import { createClockWatch } from './clock-watch.js';

function setup() {
  const said: string[] = [];
  const at = { skewMs: 0 };
  const watch = createClockWatch(
    { now: () => new Date(), skewMs: () => at.skewMs, look: async () => {} },
    { skew: () => {}, off: (_skewMs, remark) => said.push(remark) },
  );
  return { watch, at, said };
}

test.each([
  [0, undefined],
  [30_000, undefined],
  [-30_000, undefined],
  [31_000, 'off by 31 s, ahead of Postgres'],
  [-600_000, 'off by 10 min, behind Postgres'],
  [-7_200_000, 'off by 2 h, behind Postgres'],
  [863_999_990, 'off by 10 d, ahead of Postgres'],
  [-259_200_000, 'off by 3 d, behind Postgres'],
])('a clock that is ahead by %d ms: %s', (skewMs, remark) => {
  const { watch, at } = setup();
  at.skewMs = skewMs;
  expect(watch.remark()).toBe(remark);
});

test('it is said once, and again only after the clock was right', async () => {
  const { watch, at, said } = setup();
  for (const skewMs of [0, 60_000, 61_000, 0, -60_000]) {
    at.skewMs = skewMs;
    await watch.look();
  }
  expect(said).toEqual(['off by 1 min, ahead of Postgres', 'off by 1 min, behind Postgres']);
});
