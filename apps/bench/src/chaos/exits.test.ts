import { expect, test } from '@jest/globals';
import type { Exit } from '../stack/process-keeper.js';
import { judgeExit, readLogFacts } from './exits.js';

const QUIET = { fatal: undefined, isWedged: false };

test.each<[string, Partial<Exit>]>([
  ['killed', { cause: 'kill', code: null, signal: 'SIGKILL' }],
  ['stopped and exited 0', { cause: 'stop', code: 0 }],
])('no violation: %s', (_, exit) => {
  expect(judgeExit(anExit(exit), QUIET)).toBeNull();
});

test.each<[string, Partial<Exit>, string]>([
  ['nobody touched it', { cause: 'none', code: 1 }, 'ended though nobody had touched it'],
  ['nobody touched it and it exited 0', { cause: 'none', code: 0 }, 'ended though nobody had touched it'],
  ['stopped late', { cause: 'stop', code: 1 }, 'was asked to stop and did not exit 0'],
  ['stopped by the signal itself', { cause: 'stop', code: null, signal: 'SIGTERM' }, 'did not exit 0'],
])('a violation: %s', (_, exit, what) => {
  const sentence = expect.stringContaining(what);
  expect(judgeExit(anExit(exit), QUIET)).toMatchObject({ kind: 'violation', violation: { sentence } });
});

test('a fatal line is a crash, whoever killed it then', () => {
  const facts = readLogFacts('{"level":"info"}\n{"level":"fatal","msg":"process.crashed"}\n');
  expect(judgeExit(anExit({ cause: 'kill' }), facts)).toMatchObject({ kind: 'violation' });
});

test("a worker's own watchdog is no crash", () => {
  const facts = readLogFacts('{"level":"fatal","msg":"worker.wedged"}\n');
  expect(judgeExit(anExit({ cause: 'none', code: 1 }), facts)).toEqual({ kind: 'wedged' });
});

function anExit(overrides: Partial<Exit>): Exit {
  return {
    name: 'worker-1',
    at: 0,
    code: 0,
    signal: null,
    cause: 'none',
    logFile: '/tmp/worker-1.1.log',
    ...overrides,
  };
}
