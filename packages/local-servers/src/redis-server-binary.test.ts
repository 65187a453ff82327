import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { ensureRedisServer } from './redis-server-binary.js';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

test('a missing redis-server without a package manager is one line that says what to do', async () => {
  await expect(ensureRedisServer({ path: '/nonexistent' })).rejects.toThrow(
    /^redis-server is missing: install Redis or Valkey, or set REDIS_URL to a running one$/,
  );
});

test('a package manager that brings nothing ends in the command to run by hand', async () => {
  const path = directoryWith('brew', 'exit 1');
  await expect(ensureRedisServer({ path })).rejects.toThrow(
    /^redis-server is missing: run "brew install redis", or set REDIS_URL to a running one$/,
  );
});

test('a redis-server that the package manager brings is used, and the installing is announced', async () => {
  const path = directoryWith('brew', '/bin/ln -s /bin/sh "$(/usr/bin/dirname "$0")/redis-server"');
  const said: string[] = [];
  expect(await ensureRedisServer({ path, say: (line) => said.push(line) })).toBe(join(path, 'redis-server'));
  expect(said).toEqual(['Installing redis-server (brew)']);
});

test('valkey-server will do', async () => {
  const path = directoryWith('valkey-server', 'exit 0');
  expect(await ensureRedisServer({ path })).toBe(join(path, 'valkey-server'));
});

function directoryWith(program: string, script: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-path-'));
  directories.push(directory);
  writeFileSync(join(directory, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return directory;
}
