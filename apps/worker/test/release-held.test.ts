import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { openDatabase } from './open-database.js';
import { aStack, cleanUp } from './own-stacks.js';

const CLI = fileURLToPath(new URL('../dist/release-held-cli.js', import.meta.url));

async function releaseHeld(env: Record<string, string>, ...args: string[]) {
  const run = promisify(execFile)(process.execPath, [CLI, ...args], { env });
  const { stdout, stderr, code } = await run.then(
    (done) => ({ ...done, code: 0 }),
    (failure: { stdout: string; stderr: string; code: number }) => failure,
  );
  return { code, output: `${stdout}${stderr}` };
}

test('what is wrong with the environment or the arguments is said', async () => {
  expect(await releaseHeld({})).toMatchObject({ code: 78, output: expect.stringContaining('DATABASE_URL is not set') });
  expect(await releaseHeld({}, '--all')).toMatchObject({ code: 2, output: expect.stringContaining('--help') });
  expect(await releaseHeld({}, '--help')).toMatchObject({ code: 0, output: expect.stringContaining('Exits 0') });
});

test('circuits are closed, and what they or limits have held is let go: an earlier version knows neither', async () => {
  const stack = await aStack({ workers: 0 });
  const { prisma, close } = openDatabase(stack);
  const { customerId, endpoint } = await stack.customerWithEndpoint();
  const limited = await stack.customerWithEndpoint({ max_in_flight: 1 });
  for (const id of [customerId, customerId, limited.customerId, limited.customerId]) await stack.postEvent(id);
  await prisma.$executeRaw`UPDATE deliveries SET hold_reason = 'circuit_open', recover_at = NULL, next_attempt_at = NULL`;
  await prisma.endpointFlow.create({
    data: {
      ...{ endpointId: endpoint.id, customerId, circuitOpenedAt: new Date() },
      ...{ circuitFailures: 10, nextProbeAt: new Date(), probeWaitMs: 30_000 },
    },
  });
  expect(await releaseHeld({ DATABASE_URL: stack.database.url })).toMatchObject({ code: 0 });
  expect(await prisma.delivery.count({ where: { recoverAt: { not: null } } })).toBe(4);
  expect(await prisma.endpointFlow.count({ where: { circuitOpenedAt: { not: null } } })).toBe(0);
  await close();
  await cleanUp();
});

test('what is held is let go; what a person has put on hold stays, and is named', async () => {
  const stack = await aStack({ workers: 0 });
  const env = { DATABASE_URL: stack.database.url };
  const { prisma, close } = openDatabase(stack);
  const crowded = await stack.customerWithEndpoint();
  await stack.postEvent(crowded.customerId);
  await prisma.$executeRaw`UPDATE deliveries SET hold_reason = 'crowded', recover_at = NULL, next_attempt_at = NULL`;
  const onHold = await stack.customerWithEndpoint({ on_hold: true });
  await stack.postEvent(onHold.customerId);

  const named = await releaseHeld(env);
  expect(named.code).toBe(1);
  expect(named.output).toContain('1 deliveries let go');
  expect(named.output).toContain(onHold.endpoint.id);
  expect(named.output).not.toContain(crowded.endpoint.id);

  await stack.api.patch(`/v1/endpoints/${onHold.endpoint.id}`, { on_hold: false });
  expect(await releaseHeld(env)).toMatchObject({ code: 0, output: expect.stringContaining('none is held.') });
  expect(await prisma.delivery.count({ where: { recoverAt: { not: null } } })).toBe(2);
  await close();
  await cleanUp();
});
