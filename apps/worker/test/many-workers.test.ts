import { randomUUID } from 'node:crypto';
import { aDriftEvent, type Stack, startStack, startWorker, type TestProcess, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { type DeliveryQueue, openQueue } from './open-queue.js';

/** Ten workers that start on two cores take their time to answer, and an attempt that ran out of it would be another request. */
const PATIENT = { REQUEST_TIMEOUT_MS: '15000' };

let stack: Stack;
let jobs: DeliveryQueue;
let workers: TestProcess[] = [];
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  jobs = openQueue(stack.redis.url);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await jobs.close();
  await stack.close();
});

test('one delivery under 50 jobs and ten workers is one request', async () => {
  const { id, requests } = await postDelivery(stack);
  for (let copy = 1; copy <= 50; copy += 1) await jobs.add(`copy-${copy}`, { deliveryId: id, generation: 1 });
  const options = { databaseUrl: stack.database.url, redisUrl: stack.redis.url, env: PATIENT };
  workers = await Promise.all(Array.from({ length: 10 }, () => startWorker(options)));
  expect((await stack.deliveryIn('success', id)).attempt_count).toBe(1);
  await jobs.idle();
  expect(requests()).toHaveLength(1);
});

test('ten workers share a batch of 200 deliveries: each is sent once, by one of them', async () => {
  const { customerId } = await stack.customerWithEndpoint({ url: `${stack.receiver.url}/shared` });
  const events = Array.from({ length: 200 }, () => aDriftEvent());
  await stack.api.post('/v1/drift-events/batch', { customer_id: customerId, events });
  const requests = () => stack.receiver.requests.filter(({ path }) => path === '/shared');
  await until(() => requests().length >= 200, { deadlineMs: 30_000 });
  await jobs.idle();
  expect(new Set(requests().map(({ headers }) => headers['webhook-id'])).size).toBe(200);
  expect(requests()).toHaveLength(200);
  const busy = workers.filter((worker) => worker.output().includes('delivery.attempted'));
  expect(busy.length).toBeGreaterThan(1);
});

test('a job for an unknown delivery and one with malformed data are said once and dropped; others flow', async () => {
  const unknown = randomUUID();
  await jobs.add('unknown', { deliveryId: unknown, generation: 1 });
  await jobs.add('malformed', { delivery: 'x' });
  const { id } = await postDelivery(stack);
  await stack.deliveryIn('success', id);
  await jobs.idle();
  const lines = workers.flatMap((worker) => worker.output().split('\n'));
  expect(lines.filter((line) => line.includes(unknown))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('job.malformed'))).toHaveLength(1);
});
