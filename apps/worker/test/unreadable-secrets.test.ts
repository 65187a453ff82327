import type { Database } from '@driftwire/database';
import { type Stack, startStack, startWorker, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { openDatabase } from './open-database.js';
import { type DeliveryQueue, openQueue } from './open-queue.js';

let stack: Stack;
let jobs: DeliveryQueue;
let database: Database;
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  jobs = openQueue(stack.redis.url);
  database = openDatabase(stack);
});
afterAll(async () => {
  await database.close();
  await jobs.close();
  await stack.close();
});

test.each<[string, { env?: Record<string, string>; spoil?: (endpointId: string) => Promise<unknown> }]>([
  ["another endpoint's ciphertext", { spoil: putForeignSecret }],
  ['a truncated ciphertext', { spoil: truncateSecret }],
  ['a key ring without its key', { env: { ENCRYPTION_KEYS: `new:${Buffer.alloc(32, 9).toString('base64')}` } }],
])('%s: parked with an alert, not sent; mended, it is delivered', async (_, { env = {}, spoil = async () => {} }) => {
  const posted = await postDelivery(stack);
  const sealed = await secretOf(posted.endpoint.id);
  await spoil(posted.endpoint.id);

  const worker = await startWorker({ ...processOptions(), env });
  await until(() => worker.output().includes('endpoint.secret_unreadable'));
  const parked = await until(async () => {
    const { body } = await stack.api.get(`/v1/deliveries/${posted.id}`);
    return Date.parse(body.next_attempt_at) > Date.now() + 200_000 && body;
  });
  expect(parked).toMatchObject({ status: 'pending', attempt_count: 0, attempts: [] });
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/driftwire_unreadable_secrets_total\{.*\} 1/);
  await worker.stop();
  expect(posted.requests()).toHaveLength(0);

  await database.prisma.endpoint.update({ where: { id: posted.endpoint.id }, data: { secretSealed: sealed } });
  await database.prisma.delivery.update({ where: { id: posted.id }, data: { nextAttemptAt: new Date() } });
  await jobs.promote(posted.id);
  const mended = await startWorker(processOptions());
  expect(await stack.deliveryIn('success', posted.id)).toMatchObject({ attempt_count: 1 });
  await mended.stop();
});

test('parked by a worker without the key, it is let go within seconds of the start of one that has it', async () => {
  const posted = await postDelivery(stack);
  const without = await startWorker({
    ...processOptions(),
    env: { ENCRYPTION_KEYS: `new:${Buffer.alloc(32, 9).toString('base64')}` },
  });
  await until(() => database.prisma.parkedDelivery.findUnique({ where: { deliveryId: posted.id } }));
  await without.stop();
  const startedAt = Date.now();
  const mended = await startWorker(processOptions());
  expect(await stack.deliveryIn('success', posted.id)).toMatchObject({ attempt_count: 1 });
  expect(Date.now() - startedAt).toBeLessThan(30_000);
  expect(posted.requests()).toHaveLength(1);
  await mended.stop();
});

function processOptions() {
  return { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
}

async function secretOf(id: string): Promise<string | null> {
  return (await database.prisma.endpoint.findUniqueOrThrow({ where: { id } })).secretSealed;
}

async function putForeignSecret(id: string): Promise<void> {
  const { endpoint } = await stack.customerWithEndpoint();
  const secretSealed = await secretOf(endpoint.id);
  await database.prisma.endpoint.update({ where: { id }, data: { secretSealed } });
}

async function truncateSecret(id: string): Promise<void> {
  const secretSealed = (await secretOf(id))?.slice(0, -8) ?? null;
  await database.prisma.endpoint.update({ where: { id }, data: { secretSealed } });
}
