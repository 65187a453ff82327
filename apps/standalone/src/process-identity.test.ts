import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { identifyProcess, isAlive } from './process-identity.js';

test('a process is recognised again', () => {
  const self = identifyProcess(process.pid);
  expect(self && isAlive(self)).toBe(true);
});

test('another process with the same pid is not the same process', () => {
  expect(isAlive({ pid: process.pid, startedAt: 'earlier' })).toBe(false);
});

test('a process that ended is nobody', async () => {
  const child = spawn('sleep', ['60']);
  const identity = identifyProcess(child.pid ?? 0);
  child.kill();
  await once(child, 'exit');
  expect(identity).toBeDefined();
  expect(identity && isAlive(identity)).toBe(false);
});
