import { expect, test } from '@jest/globals';
import { parseBenchCommand, USAGE } from './command-line.js';
import { COST_SCENES } from './cost-scenes.js';
import { ISOLATION_SCENES } from './isolation-scenes.js';

test('a scenario alone runs with what is usual', () => {
  expect(parseBenchCommand(['throughput'])).toEqual({
    kind: 'run',
    scenario: 'throughput',
    events: 10_000,
    receivers: 4,
    workers: 1,
    perRequest: 50,
    requestsAtOnce: 4,
    runs: 1,
    turns: 2,
    minutes: 7,
    rows: 10_000_000,
    waiting: 1_000_000,
    only: COST_SCENES,
    checkouts: [],
    scenes: ISOLATION_SCENES.map(({ name }) => name),
    report: undefined,
    keep: false,
    profile: false,
  });
});

test.each([
  [
    [],
    'which scenario: there is throughput, cost, latency, isolation, scale, depth, soak (see npm run bench -- --help)',
  ],
  [
    ['speed'],
    "no scenario 'speed': there is throughput, cost, latency, isolation, scale, depth, soak (see npm run bench -- --help)",
  ],
  [['throughput', 'latency'], "one scenario at a time, not also 'latency' (see npm run bench -- --help)"],
  [['throughput', '--runs', '0'], "--runs must be a whole number from 1 to 100, not '0' (see npm run bench -- --help)"],
  [
    ['cost', '--only', 'idle,sleep'],
    "nothing of cost is called 'sleep': there is idle, callers-8, callers-32, callers-128, endpoints-10, batches-500, rest (see npm run bench -- --help)",
  ],
  [
    ['isolation', '--scenes', 'redis,flood'],
    "no scene of isolation is called 'flood': there is slow, fast, hanging, thirty, trickle, hundred, limited, outage, redis, redis-flood, million (see npm run bench -- --help)",
  ],
  [
    ['cost', '--profile', '--checkout', 'a', '--checkout', 'b'],
    '--profile looks at one --checkout at a time (see npm run bench -- --help)',
  ],
  [['throughput', '--speed'], "Unknown option '--speed' (see npm run bench -- --help)"],
])('%j is told what is wrong', (args, problem) => {
  expect(parseBenchCommand(args)).toEqual({ kind: 'misuse', problem });
});

test('help wins over everything else', () => {
  expect(parseBenchCommand(['throughput', '--help'])).toEqual({ kind: 'help' });
});

test('cost is measured three times, in parts and of other checkouts when it is told so', () => {
  const args = ['cost', '--only', 'rest,idle', '--checkout', '.', '--checkout', '../other'];
  expect(parseBenchCommand(args)).toMatchObject({
    scenario: 'cost',
    runs: 3,
    only: ['rest', 'idle'],
    checkouts: ['.', '../other'],
  });
});

test('isolation measures the scenes it is told', () => {
  const args = ['isolation', '--scenes', 'million,redis'];
  expect(parseBenchCommand(args)).toMatchObject({ scenario: 'isolation', scenes: ['million', 'redis'] });
});

test.each(ISOLATION_SCENES)('help says what $name is and how long it takes', ({ name, title, minutes }) => {
  expect(USAGE).toMatch(new RegExp(`^ +${name} +${minutes}  ${title}$`, 'm'));
});
