import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { until } from '@driftwire/local-servers';
import { afterEach, expect, jest, test } from '@jest/globals';
import { isAlive } from '../src/process-identity.js';
import { removeDirectories, type Setup, startStack } from './stand-in-stack.js';

jest.setTimeout(60_000);

const teardown: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0).reverse()) await step();
  removeDirectories();
});

test('the stack runs in process groups of its own, and a stop leaves no process behind', async () => {
  const stack = await start({ args: ['--workers', '2'] });
  const children = stack.children();
  expect(children.map(({ name }) => name).sort()).toEqual(['api', 'postgres', 'redis', 'worker-1', 'worker-2']);
  for (const { pid } of children) expect(processGroup(pid)).toBe(pid);
  expect(await stack.stop()).toBe(0);
  expect(children.filter(isAlive)).toEqual([]);
  expect(stack.complaints).toEqual([]);
});

test('whatever is killed runs again within a second, Postgres and Redis included', async () => {
  const stack = await start();
  for (const { name, pid } of stack.children()) {
    process.kill(pid, 'SIGKILL');
    const isBack = () => stack.children().some((child) => child.name === name && child.pid !== pid);
    expect(await until(isBack, { deadlineMs: 1_000 })).toBe(true);
  }
  expect(stack.complaints).toEqual(
    ['postgres', 'redis', 'worker-1', 'api'].map((name) => `${name} died (SIGKILL); starting it again`),
  );
  expect(await answers(stack.port)).toBe(true);
});

test('a second start on the same data directory says who has it and what to do', async () => {
  const first = await start();
  const second = await start({ dataDir: first.dataDir });
  expect(await second.exitCode).toBe(1);
  expect(second.complaints).toEqual([
    `Driftwire already runs on ${first.dataDir} (pid ${process.pid}): stop it with "kill ${process.pid}", or start a second one with "DATA_DIR=<another> PORT=<another> npm start"`,
  ]);
});

test('a taken port is one line that names it, and no server is started', async () => {
  const port = await listenSomewhere();
  const stack = await start({ port });
  expect(await stack.exitCode).toBe(1);
  expect(stack.complaints).toEqual([expect.stringMatching(`^Port ${port} is taken.*PORT=${port + 1} npm start`)]);
  expect(existsSync(join(stack.dataDir, 'children.json'))).toBe(false);
});

test('two stacks run side by side', async () => {
  const [one, other] = await Promise.all([start(), start()]);
  expect(await Promise.all([answers(one.port), answers(other.port)])).toEqual([true, true]);
});

test('servers that the environment names are used, and none of ours is started', async () => {
  const stack = await start({ env: { DATABASE_URL: 'postgresql://elsewhere', REDIS_URL: 'redis://elsewhere' } });
  expect(stack.children().map(({ name }) => name)).toEqual(['worker-1', 'api']);
  expect(stack.said.join('\n')).not.toContain('elsewhere');
});

test('a bad environment variable is answered before any server starts, in the words of the program that refused it', async () => {
  const stack = await start({ env: { BAD_AT: 'check' } });
  expect(await stack.exitCode).toBe(78);
  expect(stack.complaints).toEqual(['MAX_ATTEMPTS: must be a number']);
  expect(existsSync(join(stack.dataDir, 'children.json'))).toBe(false);
});

test('a configuration that is refused only later ends the stack instead of a restart', async () => {
  const stack = await start({ env: { BAD_AT: 'start' } });
  expect(await stack.exitCode).toBe(78);
  expect(stack.complaints).toEqual(['MAX_ATTEMPTS: must be a number']);
  expect(stack.children()).toEqual([]);
});

test.each([
  [{ PORT: '99999' }, 78, 'PORT: must be a whole number from 1 to 65535, not "99999"'],
  [{ PATH: '/nonexistent' }, 1, /^redis-server is missing: /],
  [{ DATA_DIR: '/dev/null' }, 1, /^DATA_DIR \/dev\/null cannot be used .*: choose another$/],
])('%j is answered in one line', async (env, code, line) => {
  const stack = await start({ env });
  expect(await stack.exitCode).toBe(code);
  expect(stack.complaints).toEqual([expect.stringMatching(line)]);
});

async function start(setup: Setup = {}) {
  const stack = await startStack(setup);
  teardown.push(stack.stop);
  return stack;
}

async function listenSomewhere(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  teardown.push(() => server.close());
  await until(() => server.listening, { deadlineMs: 5_000 });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function processGroup(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'pgid=', '-p', `${pid}`], { encoding: 'utf8' }));
}

/** The API may be on its way up again. */
function answers(port: number): Promise<boolean> {
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  return until(ask, { deadlineMs: 10_000 });
}
