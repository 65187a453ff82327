import { expect, test } from '@jest/globals';
import { parseCommandLine } from './command-line.js';

test('one worker unless told otherwise', () => {
  expect(parseCommandLine([])).toEqual({ kind: 'start', workers: 1 });
  expect(parseCommandLine(['--workers', '4'])).toEqual({ kind: 'start', workers: 4 });
  expect(parseCommandLine(['--workers=4'])).toEqual({ kind: 'start', workers: 4 });
  expect(parseCommandLine(['--help'])).toEqual({ kind: 'help' });
});

test.each([
  [['--workers', '0'], /^--workers must be a whole number from 1 to 64, not "0"/],
  [['--workers', 'two'], /not "two"/],
  [['--workers', '-1'], /--workers/],
  [['--workers'], /--workers/],
  [['--wrkers', '2'], /--wrkers/],
  [['extra'], /extra/],
])('%j is refused in one line', (args, problem) => {
  const line = parseCommandLine(args);
  expect(line).toEqual({ kind: 'misuse', problem: expect.stringMatching(problem) });
  expect(line.kind === 'misuse' && line.problem.split('\n')).toHaveLength(1);
});
