import { aDriftEvent, type OwnRedis, type Stack, startApi, startProxy, startWorker, until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { openQueue } from './open-queue.js';
import { aStack, aStackWithOwnRedis, cleanUp, cleanups } from './own-stacks.js';

afterEach(cleanUp, 40_000);

const CLOSED_PORT = '1';

test.each<[string, (redis: OwnRedis) => unknown, (redis: OwnRedis) => unknown]>([
  ['frozen', (redis) => redis.freeze(), (redis) => redis.thaw()],
  [
    'read-only',
    (redis) => redis.run('REPLICAOF', '127.0.0.1', CLOSED_PORT),
    (redis) => redis.run('REPLICAOF', 'NO', 'ONE'),
  ],
  [
    'full',
    (redis) => redis.run('CONFIG', 'SET', 'maxmemory', 1),
    (redis) => redis.run('CONFIG', 'SET', 'maxmemory', 0),
  ],
])(
  'while Redis is %s events are accepted; they are delivered within seconds of its return, and the log stays short',
  async (_, take, giveBack) => {
    const { stack, redis } = await aStackWithOwnRedis();
    await redis.start();
    const { id, customerId } = await postDelivery(stack);
    await stack.deliveryIn('success', id);
    await take(redis);
    const events = [await stack.postEvent(customerId), await stack.postEvent(customerId)];
    const linesBefore = lines(stack);
    await until(async () => (await overdue(stack)) === 2, { deadlineMs: 15_000 });
    expect(lines(stack) - linesBefore).toBeLessThan(20);
    await giveBack(redis);
    const returnedAt = performance.now();
    for (const event of events) await stack.deliveryIn('success', event.deliveries[0].id);
    expect(performance.now() - returnedAt).toBeLessThan(8_000);
  },
  60_000,
);

test('an API killed between commit and enqueue: the sweeper delivers in seconds', async () => {
  const stack = await aStack({ workers: 0 });
  const { customerId } = await stack.customerWithEndpoint();
  const unreachable = { databaseUrl: stack.database.url, redisUrl: `redis://127.0.0.1:${CLOSED_PORT}` };
  const api = await startApi(unreachable);
  const body = aDriftEvent({ customer_id: customerId });
  const { status, body: accepted } = await stack.api.at(api.url).post('/v1/drift-events', body);
  expect(status).toBe(202);
  api.signal('SIGKILL');
  const worker = await startWorker({ databaseUrl: stack.database.url, redisUrl: stack.redis.url });
  cleanups.push(worker.stop);
  await until(() => stack.receiver.requests.length === 1, { deadlineMs: 12_000 });
  expect(await stack.deliveryIn('success', accepted.deliveries[0].id)).toMatchObject({ attempt_count: 1 });
}, 30_000);

test('Postgres away while 500 deliveries are in flight: each is recorded by its own worker, once, and spends nothing', async () => {
  const { stack, proxy, worker, queue } = await aStackBehindAProxy();
  const { customerId } = await stack.customerWithEndpoint();
  let answer = () => {};
  const answered = new Promise<number>((resolve) => (answer = () => resolve(200)));
  stack.receiver.reply(() => answered);
  await post500(stack, customerId);
  await until(() => stack.receiver.requests.length === 500, { deadlineMs: 20_000 });
  proxy.cut();
  answer();
  await until(async () => (await fetch(`${worker.url}/readyz`)).status === 503);
  await proxy.restore();
  await until(async () => (await successes(stack, customerId)) === 500, { deadlineMs: 20_000 });
  await queue.idle();
  expect(stack.receiver.requests).toHaveLength(500);
  expect(await queue.failedCount()).toBe(0);
}, 60_000);

test('Postgres away when 500 jobs come: no attempt is spent, no job fails, each is delivered once afterwards', async () => {
  const { stack, proxy, worker, queue } = await aStackBehindAProxy();
  const { customerId } = await stack.customerWithEndpoint();
  proxy.cut();
  await post500(stack, customerId);
  await until(() => count(worker.output(), 'delivery.interrupted') >= 500, { deadlineMs: 20_000 });
  await proxy.restore();
  await until(async () => (await successes(stack, customerId)) === 500, { deadlineMs: 30_000 });
  await queue.idle();
  expect(stack.receiver.requests).toHaveLength(500);
  expect(await queue.failedCount()).toBe(0);
  expect(await queue.mostAttempts()).toBe(1);
}, 90_000);

/** One worker, between which and Postgres there is something to cut. */
async function aStackBehindAProxy() {
  const stack = await aStack({ workers: 0 });
  const proxy = await startProxy(stack.database.url);
  // One endpoint gets two thirds.
  const env = { WORKER_CONCURRENCY: '750', REQUEST_TIMEOUT_MS: '30000' };
  const worker = await startWorker({ databaseUrl: proxy.url, redisUrl: stack.redis.url, env });
  const queue = openQueue(stack.redis.url);
  cleanups.push(async () => proxy.cut(), worker.stop, queue.close);
  return { stack, proxy, worker, queue };
}

async function post500({ api }: Stack, customerId: string): Promise<void> {
  const events = Array.from({ length: 500 }, () => aDriftEvent());
  const { status } = await api.post('/v1/drift-events/batch', { customer_id: customerId, events });
  expect(status).toBe(202);
}

async function successes({ api }: Stack, customerId: string): Promise<number> {
  let found = 0;
  let next = '';
  do {
    const { body } = await api.get(`/v1/deliveries?customer_id=${customerId}&status=success&limit=200${next}`);
    found += body.data.length;
    next = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (next !== '');
  return found;
}

async function overdue({ workers }: Stack): Promise<number> {
  const metrics = await (await fetch(`${workers[0]?.url}/metrics`)).text();
  return Number(/^driftwire_deliveries_overdue\{.*\} (\d+)$/m.exec(metrics)?.[1]);
}

function lines({ workers }: Stack): number {
  return count(workers[0]?.output() ?? '', '\n');
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
