import { createLog, createMetrics } from '@driftwire/runtime';
import { expect, test } from '@jest/globals';
import { clockSkewMs, createClockSkewWatch, observeClockSkew } from './clock-skew.js';

test.each([
  ['as Postgres has it', 1_000, 1_005, 1_010, 0],
  ['as Postgres has it, before a stop of 31 s', 1_000, 1_005, 32_010, 0],
  ['as Postgres has it, after a stop of 31 s', 1_000, 32_005, 32_010, 0],
  ['ten minutes ahead', 601_000, 1_005, 601_010, 599_995],
  ['ten minutes behind', 1_000, 601_005, 1_010, -599_995],
])('a clock that is %s', (_, askedAtMs, postgresAtMs, answeredAtMs, skewMs) => {
  expect(clockSkewMs({ askedAtMs, postgresAtMs, answeredAtMs })).toBe(skewMs);
});

test('a large skew is said once, and again when it has changed much, when ten minutes have gone, or when it comes back', () => {
  const { watch, clock, said } = setup();
  for (const skewMs of [0, 30_000, 31_000, 32_000, 61_000]) watch(ahead(skewMs));
  expect(said).toEqual([31_000]);
  watch(ahead(61_001));
  watch(ahead(-40_000));
  expect(said).toEqual([31_000, 61_001, -40_000]);
  clock.ms = 599_999;
  watch(ahead(-41_000));
  expect(said).toHaveLength(3);
  clock.ms = 600_000;
  watch(ahead(-42_000));
  expect(said.slice(3)).toEqual([-42_000]);
  for (const skewMs of [0, -43_000]) watch(ahead(skewMs));
  expect(said.slice(4)).toEqual([-43_000]);
});

test('every reading is in the gauge, in seconds', async () => {
  const registry = createMetrics('test');
  observeClockSkew(createLog({ service: 'test', level: 'silent' }), registry).measured(-1_500);
  expect(await registry.metrics()).toMatch(/driftwire_clock_skew_seconds\{.*\} -1.5/);
});

function ahead(skewMs: number) {
  const postgresAtMs = 1_000_000;
  const hereMs = postgresAtMs + skewMs;
  return { askedAtMs: hereMs, postgresAtMs, answeredAtMs: hereMs };
}

function setup() {
  const said: number[] = [];
  const clock = { ms: 0 };
  const watch = createClockSkewWatch({
    measured: () => {},
    large: (skewMs) => said.push(skewMs),
    now: () => clock.ms,
  });
  return { watch, clock, said };
}
