import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { findRunningPostmaster, type LocalServer, postgresAnswers, startPostgres, until } from '../src/index.js';

jest.setTimeout(60_000);

const teardown: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0).reverse()) await step();
});

test('Postgres runs in a directory that only its owner may enter, also for root, and stops without a trace', async () => {
  const server = await start(freshDirectory());
  expect(await postgresAnswers(server.port)).toBe(true);
  await server.stop();
  expect(await postgresAnswers(server.port)).toBe(false);
  expect(isAlive(server.pid)).toBe(false);
});

test('after kill -9 it starts again on the same directory', async () => {
  const directory = freshDirectory();
  const killed = await start(directory);
  await kill(killed);
  const server = await start(directory);
  expect(findRunningPostmaster(join(directory, 'postgres'))).toBe(server.pid);
});

test('a stale postmaster.pid does not matter when its pid belongs to another process now', async () => {
  const directory = freshDirectory();
  const bystander = await start(freshDirectory());
  await kill(await start(directory));
  writeFileSync(join(directory, 'postgres', 'postmaster.pid'), `${bystander.pid}\n`);
  const server = await start(directory);
  expect(await postgresAnswers(server.port)).toBe(true);
});

test('an initialisation that was killed half way leaves nothing that looks like a cluster', async () => {
  const directory = freshDirectory();
  mkdirSync(join(directory, 'postgres.new'), { recursive: true });
  writeFileSync(join(directory, 'postgres.new', 'PG_VERSION'), '18\n');
  await start(directory);
  expect(readdirSync(directory).sort()).toEqual(['postgres', 'postgres.log']);
});

test('a port that is taken is said, with the server’s own words', async () => {
  const { port } = await start(freshDirectory());
  await expect(start(freshDirectory(), port)).rejects.toThrow(/^Postgres did not start: .*Address already in use/);
});

function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-postgres-'));
  teardown.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function start(directory: string, port?: number): Promise<LocalServer> {
  const dataDir = join(directory, 'postgres');
  const server = await startPostgres({ dataDir, settings: { fsync: 'off' }, ...(port ? { port } : {}) });
  teardown.push(server.stop);
  return server;
}

async function kill({ pid }: LocalServer): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid), { deadlineMs: 5_000 });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
