import { expect, test } from '@jest/globals';
import { parseBenchCommand } from './command-line.js';

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
    minutes: 7,
    rows: 10_000_000,
    waiting: 1_000_000,
    report: undefined,
    keep: false,
    profile: false,
  });
});

test.each([
  [[], 'which scenario: there is throughput, latency, scale, depth, soak (see npm run bench -- --help)'],
  [['speed'], "no scenario 'speed': there is throughput, latency, scale, depth, soak (see npm run bench -- --help)"],
  [['throughput', 'latency'], "one scenario at a time, not also 'latency' (see npm run bench -- --help)"],
  [['throughput', '--runs', '0'], "--runs must be a whole number from 1 to 100, not '0' (see npm run bench -- --help)"],
  [['throughput', '--speed'], "Unknown option '--speed' (see npm run bench -- --help)"],
])('%j is told what is wrong', (args, problem) => {
  expect(parseBenchCommand(args)).toEqual({ kind: 'misuse', problem });
});

test('help wins over everything else', () => {
  expect(parseBenchCommand(['throughput', '--help'])).toEqual({ kind: 'help' });
});
