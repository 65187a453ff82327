import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@driftwire/local-servers';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { bringUp, type Exit, endKeeping, type Keeper, keep, keepDown, strike, whenReady } from './process-keeper.js';

const logDir = mkdtempSync(join(tmpdir(), 'driftwire-keeper-'));
const { signal } = new AbortController();
const exits: Exit[] = [];
let keeper: Keeper;

async function keepOne(): Promise<void> {
  const command = () => ({ file: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], cwd: logDir, env: {} });
  keeper = keep({ name: 'idler', logDir, command, isReady: async () => true }, (exit) => exits.push(exit));
  await whenReady(keeper, signal);
}

afterEach(() => endKeeping(keeper, 'SIGKILL'));
afterAll(() => rmSync(logDir, { recursive: true }));

test('what is kept down stays down until it is brought up, and then comes back by itself again', async () => {
  await keepOne();
  await keepDown(keeper);
  expect(exits).toMatchObject([{ name: 'idler', signal: 'SIGKILL', cause: 'kill' }]);
  expect(await until(() => keeper.child !== undefined, { deadlineMs: 500 })).toBe(false);
  await bringUp(keeper, signal);
  expect(keeper).toMatchObject({ isReady: true, starts: 2 });
  strike(keeper, 'SIGKILL', 'kill');
  expect(await until(() => keeper.starts === 3 && keeper.isReady, { deadlineMs: 5_000 })).toBe(true);
});

test('what is brought up at once is started once', async () => {
  await keepOne();
  await keepDown(keeper);
  await bringUp(keeper, signal);
  expect(await until(() => keeper.starts > 2, { deadlineMs: 500 })).toBe(false);
});
