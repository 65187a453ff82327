import { expect, test } from '@jest/globals';
import { createChildLog } from './child-log.js';

test('our own log lines pass untouched at any time', () => {
  const { log, printed } = setup();
  log.line('{"level":30}', 'stdout');
  log.release();
  log.line('{"level":50}', 'stderr');
  expect(printed).toEqual(['out {"level":30}', 'err {"level":50}']);
});

test('what a server says while it starts is kept back, and later lines carry its name', () => {
  const { log, printed } = setup();
  log.line('starting', 'stderr');
  expect(log.held()).toEqual(['starting']);
  log.release();
  log.line('disk is full', 'stderr');
  expect(printed).toEqual(['err postgres | disk is full']);
});

test('only the last lines are kept', () => {
  const { log } = setup();
  for (let line = 1; line <= 100; line++) log.line(`${line}`, 'stdout');
  expect(log.held()).toHaveLength(20);
  expect(log.held().at(-1)).toBe('100');
});

function setup() {
  const printed: string[] = [];
  const screen = {
    say: (line: string) => printed.push(`out ${line}`),
    complain: (line: string) => printed.push(`err ${line}`),
  };
  return { log: createChildLog('postgres', screen), printed };
}
