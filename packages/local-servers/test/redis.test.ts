import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { redisAnswers, startRedis, until } from '../src/index.js';

jest.setTimeout(60_000);

const teardown: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0).reverse()) await step();
});

test('a private redis-server keeps its title, answers without a password and evicts nothing', async () => {
  const server = await start(freshDirectory());
  expect(execFileSync('ps', ['-o', 'args=', '-p', `${server.pid}`], { encoding: 'utf8' }).trim()).toMatch(
    new RegExp(`^(redis|valkey)-server 127\\.0\\.0\\.1:${server.port}$`),
  );
  expect(redisCli(server.port, 'config', 'get', 'maxmemory-policy')).toContain('noeviction');
});

test('what was written is there after kill -9', async () => {
  const directory = freshDirectory();
  const killed = await start(directory);
  redisCli(killed.port, 'set', 'kept', 'yes');
  process.kill(killed.pid, 'SIGKILL');
  await until(async () => !(await redisAnswers(killed.port)), { deadlineMs: 5_000 });
  expect(redisCli((await start(directory)).port, 'get', 'kept')).toBe('yes');
});

test('a stopped server is gone', async () => {
  const server = await start(freshDirectory());
  await server.stop();
  expect(await redisAnswers(server.port)).toBe(false);
});

function redisCli(port: number, ...args: string[]): string {
  return execFileSync('redis-cli', ['-p', `${port}`, ...args], { encoding: 'utf8' }).trim();
}

function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire redis-'));
  teardown.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function start(directory: string) {
  const server = await startRedis({ dir: join(directory, 'redis') });
  teardown.push(server.stop);
  return server;
}
