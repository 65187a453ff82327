import { expect, test } from '@jest/globals';
import type { CostRun, TurnCost } from './cost.js';
import { compare, figuresOf, ownOf, partsOf, writeCost } from './cost-report.js';

const aTurn = (overrides: Partial<TurnCost> = {}): TurnCost => ({
  scene: 'callers-32',
  cpuMs: { api: 0.25, worker: 0.5, postgres: 0.125, redis: 0.125 },
  bareMs: 0.5,
  perSecond: 1_000,
  latencyMs: { p50: 5, p95: 7, p99: 9 },
  window: { fromUs: 0, toUs: 1 },
  ...overrides,
});

const anIdle = (worker: number) => ({
  cpuPercent: { api: 0.25, worker, supervisor: 0, postgres: 0.5, redis: 0.25 },
  memoryMiB: {
    before: { api: 100, worker: 100, supervisor: 30, postgres: 80, redis: 7 },
    after: { api: 150, worker: 150, supervisor: 30, postgres: 90, redis: 9 },
  },
});

test('a delivery costs what all processes took together, as often as a bare got request fits into it', () => {
  expect(figuresOf(aTurn())).toMatchObject({ together: 1, ratio: 2 });
});

test('checkouts are compared turn by turn: a slow hour that both saw changes nothing', () => {
  const slow = (turn: TurnCost): TurnCost => ({
    ...turn,
    bareMs: turn.bareMs * 3,
    cpuMs: { api: 0.75, worker: 1.5, postgres: 0.375, redis: 0.375 },
  });
  const half = aTurn({ cpuMs: { api: 0.125, worker: 0.25, postgres: 0.0625, redis: 0.0625 } });
  const slowHalf = { ...half, bareMs: 1.5, cpuMs: { api: 0.375, worker: 0.75, postgres: 0.1875, redis: 0.1875 } };
  const { together, worker, bare, ratio } = compare(
    [half, slowHalf, slowHalf],
    [aTurn(), slow(aTurn()), slow(aTurn())],
  );
  expect({ together, worker, bare, ratio }).toEqual({ together: 0.5, worker: 0.5, bare: 1, ratio: 0.5 });
});

test('which checkout is named first makes no difference, even with two turns that disagree', () => {
  const [one, other] = [
    [aTurn(), aTurn({ bareMs: 1 })],
    [aTurn({ bareMs: 0.25 }), aTurn({ bareMs: 2 })],
  ];
  expect(compare(one, other).ratio).toBeCloseTo(1);
  expect(compare(other, one).ratio).toBeCloseTo(1);
});

test('a comparison says within what the ratio lies, once there are turns enough', () => {
  const side = (checkout: string, count: number) => ({
    checkout,
    idle: undefined,
    turns: Array.from({ length: count }, () => aTurn()),
  });
  const rowOf = (count: number) => {
    const runs = [{ sides: [side('before', count), side('here', count)] }];
    const lines = writeCost(runs, (_, text) => text).split('\n');
    const compared = lines.slice(lines.indexOf('before ÷ here'));
    return compared
      .find((line) => line.startsWith('1 endpoint'))
      ?.split(/ {2,}/)
      .slice(0, 4);
  };
  expect(rowOf(6)).toEqual(['1 endpoint, 32 callers', '1.00', '1.00', '1.00 to 1.00']);
  expect(rowOf(5)).toEqual(['1 endpoint, 32 callers', '1.00', '1.00', '–']);
});

test("Driftwire's own memory leaves the servers out", () => {
  expect(ownOf({ api: 1, worker: 2, supervisor: 4, postgres: 8, redis: 16 })).toBe(7);
});

test('a table has the medians of all turns, beside what they should be', () => {
  const runs: CostRun[] = [
    { sides: [{ checkout: 'here 1234', idle: anIdle(1), turns: [aTurn(), aTurn({ bareMs: 0.25 })] }] },
    { sides: [{ checkout: 'here 1234', idle: anIdle(2), turns: [aTurn({ bareMs: 0.4, perSecond: 900 })] }] },
    { sides: [{ checkout: 'here 1234', idle: anIdle(3), turns: [aTurn({ scene: 'rest' })] }] },
  ];
  const lines = writeCost(runs, (_, text) => text).split('\n');
  const rows = lines.map((line) => line.trim().split(/ {2,}/));
  expect(rows[0]).toEqual(['here 1234']);
  expect(rows).toContainEqual([
    ...['1 endpoint, 32 callers', '2.50', '2.3', '2', '1.000', '0.250', '0.500', '0.125', '0.125', '0.400', '1000'],
  ]);
  expect(rows).toContainEqual(['p50', '5.0', '6', '4']);
  expect(rows).toContainEqual([...['the same after 5000 events', '330', '450', '350', '150', '150', '30', '90', '9']]);
  expect(rows).toContainEqual([
    ...['doing nothing, all, % of a core', '3.00', '1.5', '0.6', '0.25', '2.00', '0.00', '0.50', '0.25'],
  ]);
});

test('of a profile those parts are told that the last run measured', () => {
  const turns = [aTurn({ scene: 'rest', window: { fromUs: 5, toUs: 9 } }), aTurn(), aTurn()];
  const runs = [{ sides: [] }, { sides: [{ checkout: 'here', idle: undefined, turns }] }];
  expect(partsOf(runs).map(({ title, windows }) => [title, windows.length])).toEqual([
    ['1 endpoint, 32 callers', 2],
    ['1 endpoint, 50 events/s', 1],
  ]);
});
