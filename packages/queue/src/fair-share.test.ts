import { expect, test } from '@jest/globals';
import { decayed, isInSight, isLineEnough, mayTake, ONE_MORE, type Standing } from './fair-share.js';

const fine: Standing = {
  taken: 0,
  takenByCustomer: 0,
  endedPerMs: 0,
  oldestMs: 0,
  sinceEndedMs: 10,
  sinceTimeoutMs: Number.POSITIVE_INFINITY,
};

test.each<[string, Partial<Standing>, { free: number; total: number }, boolean]>([
  ['fewer than twice as many as are free', { taken: 65 }, { free: 33, total: 99 }, true],
  ['twice as many', { taken: 66 }, { free: 33, total: 99 }, false],
  ['none, and whose customer has four times as many', { takenByCustomer: 80 }, { free: 20, total: 100 }, false],
  ['none, and whose customer has fewer', { takenByCustomer: 79 }, { free: 20, total: 100 }, true],
  ['none, and one is left', {}, { free: 1, total: 100 }, true],
  ['none, and none is left', {}, { free: 0, total: 100 }, false],
  ['none, a timeout a second ago, and a tenth is left', { sinceTimeoutMs: 1_000 }, { free: 10, total: 100 }, false],
  ['none, a timeout a second ago, and more is left', { sinceTimeoutMs: 1_000 }, { free: 11, total: 100 }, true],
  ['one that takes long, and a tenth is left', { taken: 1, oldestMs: 1_500 }, { free: 10, total: 100 }, false],
  [
    'one, of which none has ended, and a tenth is left',
    { taken: 1, sinceEndedMs: 90_000 },
    { free: 10, total: 100 },
    false,
  ],
  [
    'none yet, of which none has ended, and more than half of the tenth is left',
    { sinceEndedMs: 90_000 },
    { free: 6, total: 100 },
    true,
  ],
  [
    'none yet, of which none has ended, and half of the tenth is left',
    { sinceEndedMs: 90_000 },
    { free: 5, total: 100 },
    false,
  ],
  ['a timeout an hour ago', { sinceTimeoutMs: 3_600_000 }, { free: 1, total: 100 }, true],
])('an endpoint with %s: %j of %j', (_, standing, places, may) => {
  expect(mayTake({ ...fine, ...standing }, places)).toBe(may);
});

test.each<[string, Partial<Standing>, { ahead: number; waitedMs: number }, boolean]>([
  ['has just begun', { taken: 60, oldestMs: 50 }, { ahead: 20, waitedMs: 50 }, true],
  ['lets nothing end', { taken: 60, oldestMs: 200 }, { ahead: 0, waitedMs: 110 }, false],
  ['lets one end each millisecond', { taken: 60, oldestMs: 200, endedPerMs: 1 }, { ahead: 100, waitedMs: 110 }, true],
  ['is too slow for its line', { taken: 60, oldestMs: 300, endedPerMs: 0.2 }, { ahead: 30, waitedMs: 110 }, false],
  [
    'is too slow for its line, of which nobody has waited long',
    { taken: 60, oldestMs: 300, endedPerMs: 0.2 },
    { ahead: 30, waitedMs: 50 },
    true,
  ],
  ['has no place, as all are taken, and is proven', {}, { ahead: 0, waitedMs: 900 }, true],
  ['has no place, and is not proven', { sinceEndedMs: 90_000 }, { ahead: 0, waitedMs: 110 }, false],
  ['has had no place for long', {}, { ahead: 0, waitedMs: 1_100 }, false],
])('a place of an endpoint that %s', (_, standing, delivery, inSight) => {
  expect(isInSight({ ...fine, ...standing }, delivery)).toBe(inSight);
});

test.each<[string, Partial<Standing>, { ahead: number; roomInLine: number }, boolean]>([
  ['is proven', { taken: 60, oldestMs: 500 }, { ahead: 20, roomInLine: 0 }, false],
  ['has just begun', { taken: 60, oldestMs: 10, sinceEndedMs: 90_000 }, { ahead: 20, roomInLine: 21 }, false],
  ['has just begun, as many have', { taken: 2, oldestMs: 10, sinceEndedMs: 90_000 }, { ahead: 3, roomInLine: 3 }, true],
  ['lets nothing end', { taken: 60, oldestMs: 60, sinceEndedMs: 90_000 }, { ahead: 4, roomInLine: 90 }, true],
  [
    'lets nothing end, and has few',
    { taken: 60, oldestMs: 60, sinceEndedMs: 90_000 },
    { ahead: 3, roomInLine: 90 },
    false,
  ],
  ['is new, and all places are taken', { sinceEndedMs: 90_000 }, { ahead: 2, roomInLine: 90 }, true],
])('the line of an endpoint that %s: %j, %j', (_, standing, inLine, isEnough) => {
  expect(isLineEnough({ ...fine, ...standing }, inLine)).toBe(isEnough);
});

test('a steady rate is told, and forgotten', () => {
  let perMs = 0;
  for (let event = 0; event < 1_000; event += 1) perMs = decayed(perMs, 2) + ONE_MORE;
  expect(perMs).toBeCloseTo(0.5, 1);
  expect(decayed(perMs, 2_000)).toBeLessThan(0.001);
});
