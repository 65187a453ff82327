import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@driftwire/local-servers';
import { afterEach, expect, jest, test } from '@jest/globals';

jest.setTimeout(120_000);

const ROOT = join(import.meta.dirname, '../../..');

const teardown: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0)) await step();
});

test('the demo ends well, stays up while it is told to, and leaves nothing behind', async () => {
  const demo = startDemo('--keep');
  await demo.says('stays up');
  expect(demo.output()).toContain('Every story went as it should.');
  expect(demo.output()).toContain('8 drift events, 19 deliveries, 41 attempts.\nAll 41 signatures verified');
  expect(demo.output()).not.toMatch(/warning|WRONG/i);
  expect(await Promise.all(demo.ports().map(isOpen))).toEqual([true, true, true]);
  expect(await demo.stop()).toBe(0);
  expect(await Promise.all(demo.ports().map(isOpen))).toEqual([false, false, false]);
  expect(demo.leftovers()).toEqual([]);
});

test('stopped half way, it proves nothing and leaves nothing behind', async () => {
  const demo = startDemo();
  await demo.says('deliveries finished');
  expect(await demo.stop()).toBe(130);
  expect(demo.output()).not.toContain('Every story went as it should.');
  expect(await Promise.all(demo.ports().map(isOpen))).toEqual([false, false]);
  expect(demo.leftovers()).toEqual([]);
});

/** `npm run demo` with a directory for temporary files of its own. */
function startDemo(...args: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const child = spawn(process.execPath, ['scripts/demo.mjs', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: directory },
  });
  const ended = once(child, 'exit');
  teardown.push(async () => {
    child.kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return {
    output: () => output,
    async says(text: string) {
      const hasSaid = () => output.includes(text) || child.exitCode !== null;
      await until(hasSaid, { deadlineMs: 60_000 });
      expect(output).toContain(text);
    },
    ports: () =>
      [...output.matchAll(/(?: on port |API +http:\/\/127\.0\.0\.1:)(\d+)/g)].map(([, port]) => Number(port)),
    async stop(): Promise<number> {
      child.kill('SIGINT');
      const [code] = await ended;
      return code;
    },
    leftovers: () => readdirSync(directory).filter((name) => name.startsWith('driftwire-')),
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
