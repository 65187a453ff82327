import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findFreePort, startPostgres, until } from '@driftwire/local-servers';
import { afterEach, expect, jest, test } from '@jest/globals';
import { isAlive } from '../src/process-identity.js';
import { exists, freshDirectory, readChildren, removeDirectories, START, startStack } from './stand-in-stack.js';

jest.setTimeout(60_000);

const teardown: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0).reverse()) await step();
  removeDirectories();
});

test('after kill -9 of everything the next start has the data', async () => {
  const first = await startProcess();
  redisCli(first.lines, 'set', 'kept', 'yes');
  const cluster = readClusterIdentity(first.dataDir);
  const secrets = readFileSync(join(first.dataDir, 'secrets.json'), 'utf8');
  first.supervisor.kill('SIGKILL');
  for (const { pid } of readChildren(first.dataDir)) process.kill(pid, 'SIGKILL');

  const second = await startProcess(first.dataDir);
  expect(redisCli(second.lines, 'get', 'kept')).toBe('yes');
  expect(readClusterIdentity(first.dataDir)).toEqual(cluster);
  expect(readFileSync(join(first.dataDir, 'secrets.json'), 'utf8')).toBe(secrets);
});

test('children that outlived their supervisor are ended by the next start, which says so', async () => {
  const first = await startProcess();
  const children = readChildren(first.dataDir);
  await killSupervisor(first.supervisor);
  expect(children.every(isAlive)).toBe(true);

  const second = await startProcess(first.dataDir);
  expect(second.lines[1]).toMatch(/^Ending what a killed start left behind: postgres \(pid \d+\), redis \(pid \d+\), /);
  expect(children.filter(isAlive)).toEqual([]);
});

test('a process that merely has the pid of a lost child is left alone', async () => {
  const first = await startProcess();
  await stopProcess(first.supervisor);
  const bystander = spawn('sleep', ['60']);
  teardown.push(() => bystander.kill());
  const record = { name: 'api', pid: bystander.pid, startedAt: 'another time' };
  writeFileSync(join(first.dataDir, 'children.json'), JSON.stringify([record]));
  const second = await startProcess(first.dataDir);
  expect(second.lines.join('\n')).not.toContain('left behind');
  expect(exists(bystander.pid ?? 0)).toBe(true);
});

test('a Postgres that somebody else started on our data directory is reported and left alone', async () => {
  const dataDir = freshDirectory();
  await (await startStack({ dataDir })).stop();
  const foreign = await startPostgres({ dataDir: join(dataDir, 'postgres') });
  teardown.push(foreign.stop);
  const stack = await startStack({ dataDir });
  expect(await stack.exitCode).toBe(1);
  expect(stack.complaints).toEqual([
    `A Postgres that Driftwire did not start runs on ${dataDir}/postgres (pid ${foreign.pid}): stop it, or choose another DATA_DIR`,
  ]);
  expect(exists(foreign.pid)).toBe(true);
});

/** The supervisor as a process of its own, from what was built last. */
async function startProcess(dataDir = freshDirectory()) {
  const env = { ...process.env, DATA_DIR: dataDir, PORT: `${await findFreePort()}` };
  const supervisor = spawn(process.execPath, [START], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  teardown.push(() => stopProcess(supervisor));
  const lines: string[] = [];
  createInterface({ input: supervisor.stdout }).on('line', (line) => lines.push(line));
  const isReady = () => lines.some((line) => line.includes('is ready in'));
  expect(await until(isReady, { deadlineMs: 30_000 })).toBe(true);
  return { supervisor, lines, dataDir };
}

async function stopProcess(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  supervisor.kill('SIGTERM');
  await once(supervisor, 'exit');
}

async function killSupervisor(supervisor: ChildProcess): Promise<void> {
  supervisor.kill('SIGKILL');
  await once(supervisor, 'exit');
}

/** By the port that the ready notice names. */
function redisCli(lines: string[], ...args: string[]): string {
  const [, port = ''] = /redis-cli -p (\d+)/.exec(lines.join('\n')) ?? [];
  return execFileSync('redis-cli', ['-p', port, ...args], { encoding: 'utf8' }).trim();
}

/** The first eight bytes of pg_control: drawn when a cluster is initialised, and never again. */
function readClusterIdentity(dataDir: string): Buffer {
  return readFileSync(join(dataDir, 'postgres', 'global', 'pg_control')).subarray(0, 8);
}
