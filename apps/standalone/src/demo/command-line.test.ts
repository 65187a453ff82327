import { expect, test } from '@jest/globals';
import { parseDemoCommand } from './command-line.js';

test.each([
  [[], { kind: 'run', keep: false, verbose: false }],
  [['--keep'], { kind: 'run', keep: true, verbose: false }],
  [['--verbose', '--keep'], { kind: 'run', keep: true, verbose: true }],
  [['-h'], { kind: 'help' }],
  [['--kep'], { kind: 'misuse', problem: "Unknown option '--kep' (see npm run demo -- --help)" }],
  [['now'], { kind: 'misuse', problem: expect.stringMatching(/^Unexpected argument 'now'/) }],
])('%j', (args, command) => {
  expect(parseDemoCommand(args)).toEqual(command);
});
