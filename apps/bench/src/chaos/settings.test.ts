import { expect, test } from '@jest/globals';
import { type ChaosCommand, parseChaosCommand } from './command-line.js';
import { FAULT_KINDS } from './fault-kinds.js';
import { readSettings } from './settings.js';

test('by default 2000 events in a minute and as many faults as there are kinds, of which the last seconds are for what is under way', () => {
  const settings = settle(['--seed', '7']);
  expect(settings).toMatchObject({ mode: 'mixed', events: 2_000, produceMs: 51_000, workers: 4, seed: 7 });
  expect(settings.plan).toHaveLength(FAULT_KINDS.length);
  expect(settings.reportFile).toBe('/project/reports/chaos-7.json');
});

test.each([
  ['fence', 'worker-freeze'],
  ['sweeper', 'redis-flush'],
  ['release', 'receiver-out'],
])('a run that breaks the %s puts it to the test more than once, where it may: %s', (sabotage, kind) => {
  const count = (args: string[]) => settle(['--seed', '7', ...args]).plan.filter((fault) => fault.kind === kind).length;
  expect(count(['--sabotage', sabotage])).toBeGreaterThan(count([]));
  expect(count(['--sabotage', sabotage, '--only', 'api-kill,api-stop'])).toBe(0);
});

test('one at a time, minutes and events follow from the faults', () => {
  const settings = settle([
    '--one-at-a-time',
    '--each',
    '2',
    '--every',
    '20',
    '--rate',
    '5',
    '--only',
    'api-kill,redis-flush',
  ]);
  expect(settings.plan.map(({ atMs }) => atMs)).toEqual([2_000, 22_000, 42_000, 62_000]);
  expect(settings).toMatchObject({ produceMs: 74_000, events: 370 });
});

test.each([
  [['--minutes', '8'], true, true],
  [['--minutes', '7.9'], true, false],
  [['--minutes', '8'], false, false],
  [['--one-at-a-time'], true, false],
])('%j, senders can be found: %j → poison: %j', (args, canFindSenders, hasPoison) => {
  expect(settle(args, { canFindSenders })).toMatchObject({ hasPoison });
});

function settle(args: string[], { canFindSenders = true } = {}) {
  return readSettings(runOf(parseChaosCommand(args)), { root: '/project', randomSeed: 99, canFindSenders });
}

function runOf(command: ChaosCommand) {
  if (command.kind !== 'run') throw new Error('not a run');
  return command;
}
