import { expect, test } from '@jest/globals';
import { parseChaosCommand } from './command-line.js';
import { FAULT_KINDS } from './fault-kinds.js';

const PLAIN = {
  kind: 'run',
  load: { mode: 'mixed', events: 2000, minutes: 1, faults: undefined },
  workers: 4,
  seed: undefined,
  kinds: FAULT_KINDS,
  sabotage: undefined,
  report: undefined,
  keep: false,
};

test.each([
  [[], PLAIN],
  [['--seed', '7', '--keep'], { ...PLAIN, seed: 7, keep: true }],
  [['--minutes', '0.5', '--faults', '0'], { ...PLAIN, load: { ...PLAIN.load, minutes: 0.5, faults: 0 } }],
  [['--only', 'api-kill,redis-flush'], { ...PLAIN, kinds: ['api-kill', 'redis-flush'] }],
  [['--one-at-a-time'], { ...PLAIN, load: { mode: 'one-at-a-time', everyS: 30, each: 10, ratePerS: 10 } }],
  [['--help'], { kind: 'help' }],
])('%j', (args, command) => {
  expect(parseChaosCommand(args)).toEqual(command);
});

test.each([
  [['--evnts', '5'], /^Unknown option '--evnts' \(see/],
  [['--events', 'many'], /^--events must be a whole number from 1 to 1000000, not 'many'/],
  [['--minutes', '0'], /^--minutes must be a number above 0/],
  [['--workers', '0'], /^--workers must be a whole number/],
  [['--seed', '1.5'], /^--seed must be a whole number/],
  [['--only', 'api-kil'], /^--only knows no fault 'api-kil', but worker-kill, /],
  [['--sabotage', 'queue'], /^--sabotage must be sweeper or fence or release/],
  [['--every', '5'], /^--every goes with --one-at-a-time only/],
  [['--one-at-a-time', '--events', '5'], /^--events does not go with --one-at-a-time/],
  [['now'], /^Unexpected argument 'now'/],
])('%j is refused in one line', (args, problem) => {
  const command = parseChaosCommand(args);
  expect(command).toEqual({ kind: 'misuse', problem: expect.stringMatching(problem) });
  expect(JSON.stringify(command)).not.toContain('\\n');
});
