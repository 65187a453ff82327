import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createSealer, type Database, sealSecret } from '@driftwire/database';
import { type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from './open-database.js';

const CLI = fileURLToPath(new URL('../dist/rotate-keys-cli.js', import.meta.url));
/** More than a batch, so that there is something to interrupt. */
const ENDPOINTS = 2_000;
const keyOf = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
/** The key of the test processes, and the one that replaces it. */
const [OLD, NEW] = [keyOf('test', 7), keyOf('new', 8)];

let stack: Stack;
let database: Database;
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  database = openDatabase(stack);
  const { customerId } = await stack.customerWithEndpoint({ headers: { 'X-Key': 'of-the-receiver' } });
  const sealer = createSealer([{ id: 'test', key: Buffer.alloc(32, 7) }]);
  const endpoints = Array.from({ length: ENDPOINTS }, (_, number) => {
    const id = `01890000-0000-7000-8000-${`${number}`.padStart(12, '0')}`;
    const secretSealed = sealSecret(sealer, { customerId, endpointId: id }, `whsec_${number}`);
    return { id, customerId, name: `endpoint ${number}`, url: 'https://receiver.example/', secretSealed };
  });
  await database.prisma.endpoint.createMany({ data: endpoints });
});
afterAll(async () => {
  await database.close();
  await stack.close();
});

const withNewKey = () => database.prisma.endpoint.count({ where: { secretSealed: { startsWith: 'new:' } } });

test('what is wrong with the environment or the arguments is said', async () => {
  expect(await rotate({ ENCRYPTION_KEYS: 'nonsense' })).toMatchObject({
    code: 78,
    output: expect.stringContaining('ENCRYPTION_KEYS: must be id:base64(32 bytes)'),
  });
  expect(await rotate({}, '--all')).toMatchObject({ code: 2, output: expect.stringContaining('--help') });
  expect(await rotate({}, '--help')).toMatchObject({
    code: 0,
    output: expect.stringContaining('How to replace a key'),
  });
});

test('a dry run changes nothing', async () => {
  const { code, output } = await rotate({}, '--dry-run');
  expect({ code, output }).toEqual({
    code: 0,
    output: `${ENDPOINTS + 1} endpoints would be sealed with the key "new"\n`,
  });
  expect(await withNewKey()).toBe(0);
});

test('killed on the way it has done a part, and the next run does the rest; nothing is unreadable at any time', async () => {
  const killed = start({});
  await until(async () => (await withNewKey()) > 0);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await withNewKey()).toBeLessThan(ENDPOINTS + 1);

  expect(await rotate({})).toMatchObject({ code: 0 });
  expect(await withNewKey()).toBe(ENDPOINTS + 1);
  expect(await rotate({ ENCRYPTION_KEYS: NEW })).toEqual({
    code: 0,
    output: 'Every endpoint is sealed with the key "new".\n',
  });
});

test('with the old key taken out, what it still seals is named', async () => {
  const newest = keyOf('newest', 9);
  const { code, output } = await rotate({ ENCRYPTION_KEYS: newest });
  expect(code).toBe(1);
  expect(output).toContain(`${ENDPOINTS + 1} endpoints cannot be opened with the keys in ENCRYPTION_KEYS`);
});

function start(env: Record<string, string>, ...args: string[]) {
  return spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH ?? '', DATABASE_URL: stack.database.url, ENCRYPTION_KEYS: `${NEW},${OLD}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function rotate(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = start(env, ...args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}
