import { aDriftEvent, type Stack, startApi, startWorker, until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { openDatabase } from './open-database.js';
import { openQueue } from './open-queue.js';
import { aStack, aStackWithOwnRedis, cleanUp, cleanups } from './own-stacks.js';
import { isTakingJobs } from './taking-jobs.js';

afterEach(cleanUp, 40_000);

test('SIGTERM: an attempt in flight ends and is recorded, nothing new is taken, exit code 0', async () => {
  const stack = await aStack({ env: { REQUEST_TIMEOUT_MS: '20000' } });
  let answer = (_status: number) => {};
  const { id, customerId, requests } = await postDelivery(stack, {
    replies: () => new Promise((resolve) => (answer = resolve)),
  });
  await until(async () => requests().length === 1 && (await isTakingJobs(stack.redis.redis)));
  stack.workers[0]?.signal('SIGTERM');
  await until(async () => !(await isTakingJobs(stack.redis.redis)));
  const later = await stack.postEvent(customerId);
  answer(200);
  expect(await stack.workers[0]?.exited).toBe(0);
  expect(await stack.deliveryIn('success', id)).toMatchObject({ attempt_count: 1 });
  const untouched = await stack.api.get(`/v1/deliveries/${later.deliveries[0].id}`);
  expect(untouched.body).toMatchObject({ status: 'pending', attempt_count: 0 });
});

test('kill -9 in the middle of an attempt: another worker makes the next one, the lost one stays unknown', async () => {
  const stack = await aStack();
  const { id, requests } = await postDelivery(stack, { replies: ['hang', 200] });
  await until(() => requests().length === 1);
  stack.workers[0]?.signal('SIGKILL');
  await stack.workers[0]?.exited;
  await putNextGeneration(stack, id);

  const survivor = await startWorker({ databaseUrl: stack.database.url, redisUrl: stack.redis.url });
  cleanups.push(survivor.stop);
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts).toMatchObject([
    { number: 1, outcome: 'unknown', response_code: null },
    { number: 2, outcome: 'response', response_code: 200 },
  ]);
  expect(requests().map(({ headers }) => headers['webhook-id'])).toEqual([delivery.event_id, delivery.event_id]);
});

test('without Redis the API and a worker start, and what was posted is delivered within seconds of its coming', async () => {
  const { stack, redis } = await aStackWithOwnRedis();
  const { id, requests } = await postDelivery(stack);
  expect((await readiness(stack)).status).toBe(503);
  expect(requests()).toHaveLength(0);
  await redis.start();
  await until(() => requests().length === 1, { deadlineMs: 5_000 });
  await stack.deliveryIn('success', id);
  expect((await readiness(stack)).status).toBe(200);
});

test('Redis away for a while and back empty: what is posted meanwhile is delivered within seconds, on time again', async () => {
  const { stack, redis } = await aStackWithOwnRedis();
  await redis.start();
  await until(async () => (await readiness(stack)).status === 200);
  await redis.stop();
  await until(async () => (await readiness(stack)).status === 503);
  const { id, requests } = await postDelivery(stack, { replies: [500, 200] });
  await redis.start();
  await until(() => requests().length === 1, { deadlineMs: 5_000 });
  await stack.deliveryIn('success', id);
  const [first, second] = requests();
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(120 + 300);
});

test('SIGTERM when Redis is gone: exit code 0, at once', async () => {
  const { stack, redis } = await aStackWithOwnRedis();
  await redis.start();
  await until(async () => (await readiness(stack)).status === 200);
  await redis.stop();
  await until(async () => (await readiness(stack)).status === 503);
  const startedAt = Date.now();
  expect(await stack.workers[0]?.stop()).toBe(0);
  expect(Date.now() - startedAt).toBeLessThan(3_000);
});

test('SIGTERM when Redis is frozen: exit code 0 as soon as nothing is in flight', async () => {
  const { stack, redis } = await aStackWithOwnRedis();
  await redis.start();
  await until(async () => (await readiness(stack)).status === 200);
  redis.freeze();
  const startedAt = Date.now();
  expect(await stack.workers[0]?.stop()).toBe(0);
  expect(Date.now() - startedAt).toBeLessThan(5_000);
});

test('a rolling deploy under a trickle of events: every delivery is one request', async () => {
  const stack = await aStack({ apis: 2, workers: 2 });
  const { customerId } = await stack.customerWithEndpoint();
  const options = { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
  const live = stack.apis.map(({ url }) => url);
  const trickle = startTrickle(stack, customerId, live);
  cleanups.push(() => trickle.stop().catch(() => {}));
  for (const worker of stack.workers) {
    cleanups.push((await startWorker(options)).stop);
    expect(await worker.stop()).toBe(0);
  }
  for (const api of stack.apis) {
    const next = await startApi(options);
    cleanups.push(next.stop);
    // As a load balancer does: the old one gets no more requests, and is stopped then.
    live.push(next.url);
    live.splice(live.indexOf(api.url), 1);
    expect(await api.stop()).toBe(0);
  }
  const posted = await trickle.stop();
  await until(() => stack.receiver.requests.length >= posted);
  expect(posted).toBeGreaterThan(10);
  expect(new Set(stack.receiver.requests.map(({ headers }) => headers['x-webhook-delivery-id'])).size).toBe(posted);
  expect(stack.receiver.requests).toHaveLength(posted);
}, 60_000);

test('a worker whose port is taken says so in one line', async () => {
  const stack = await aStack({ workers: 0 });
  const port = new URL(stack.apis[0]?.url ?? '').port;
  const options = { databaseUrl: stack.database.url, redisUrl: stack.redis.url, env: { WORKER_PORT: port } };
  const oneLine = /did not start: The worker cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE.*\n$/;
  await expect(startWorker(options)).rejects.toThrow(oneLine);
});

function readiness(stack: Stack): Promise<Response> {
  return fetch(`${stack.workers[0]?.url}/readyz`);
}

/** Posts one event after the other, until it is stopped; answers how many were accepted. */
function startTrickle(stack: Stack, customerId: string, urls: readonly string[]) {
  let posted = 0;
  let isStopped = false;
  const post = async () => {
    const event = aDriftEvent({ customer_id: customerId });
    const { status } = await stack.api.at(urls[posted % urls.length] ?? '').post('/v1/drift-events', event);
    expect(status).toBe(202);
    posted += 1;
  };
  const running = (async () => {
    while (!isStopped) await post();
  })();
  return {
    stop: async () => {
      isStopped = true;
      await running;
      return posted;
    },
  };
}

/** What the sweeper does when a lease has run out, without the wait. */
async function putNextGeneration(stack: Stack, deliveryId: string): Promise<void> {
  const database = openDatabase(stack);
  await database.prisma.$executeRaw`
    UPDATE deliveries SET lease_expires_at = now() - interval '1 s', generation = 2 WHERE id = ${deliveryId}::uuid`;
  await database.close();
  const queue = openQueue(stack.redis.url);
  await queue.add(`${deliveryId}-2`, { deliveryId, generation: 2 });
  await queue.close();
}
