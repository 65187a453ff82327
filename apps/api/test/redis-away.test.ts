import {
  ADMIN_API_KEY,
  type ApiClient,
  aDriftEvent,
  apiClient,
  type OwnRedis,
  ownRedis,
  startApi,
  type TestProcess,
  until,
} from '@driftwire/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, type Customer, setup } from './setup.js';

/** So that a deadline that passes says which fact did not come true. */
const TIMEOUT_MS = 15_000;

let stack: ApiStack;
let customer: Customer;
let redis: OwnRedis;
let apiProcess: TestProcess;
let api: ApiClient;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
beforeEach(async () => {
  redis = await ownRedis();
});
afterEach(async () => {
  await redis.close();
  await apiProcess.stop();
});
afterAll(() => stack.close());

test('without Redis the API starts, is ready, and says that Redis is down', async () => {
  await startOwnApi();
  expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { postgres: 'ok', redis: 'down' } });
});

test(
  'without Redis since before the start a 202 is as fast as ever, and the jobs are there soon after Redis is',
  async () => {
    await startOwnApi();
    const expected = await postTwentyFast();
    await redis.start();
    await untilQueued(expected);
    await until(async () => (await api.get('/readyz')).body.redis === 'ok');
  },
  TIMEOUT_MS,
);

const CLOSED_PORT = 1;
const outages: [string, () => unknown, () => unknown][] = [
  ['gone', () => redis.stop(), () => redis.start()],
  ['frozen', () => redis.freeze(), () => redis.thaw()],
  ['read-only', () => redis.run('REPLICAOF', '127.0.0.1', CLOSED_PORT), () => redis.run('REPLICAOF', 'NO', 'ONE')],
  ['out of memory', () => setMaxMemory(1), () => setMaxMemory(0)],
];
test.each(outages)(
  'while Redis is %s a 202 is as fast as ever, and the jobs are there soon after it serves again',
  async (_, takeAway, giveBack) => {
    await startWithRedis();
    await takeAway();
    const expected = await postTwentyFast();
    await until(async () => (await tries()) > 0);
    expect((await api.get('/readyz')).body).toEqual({ postgres: 'ok', redis: 'down' });
    expect(apiProcess.output()).toContain('jobs.not_enqueued');
    expect((await api.get('/readyz')).status).toBe(200);
    await giveBack();
    await untilQueued(expected);
    expect((await api.get('/readyz')).body.redis).toBe('ok');
  },
  TIMEOUT_MS,
);

test(
  'a frozen Redis is not sent the same jobs at every try: thawed, it finds each of them once',
  async () => {
    await startWithRedis();
    redis.freeze();
    const expected = await postTwentyFast();
    await until(async () => (await tries()) > 2);
    redis.thaw();
    await untilQueued(expected);
    expect(await scriptCalls()).toBe(expected.length);
  },
  TIMEOUT_MS,
);

/** Room for a few of the 32 bundles of 500 deliveries. */
const ROOM_STEP_BYTES = 8_192;
test(
  'a batch that fits into Redis only in part is enqueued whole, each job once, when there is room again',
  async () => {
    await startWithRedis();
    await setMaxMemory(1);
    const expected = (await postBatch(500)).map(deliveryId);
    const used = Number(/used_memory:(\d+)/.exec(String(await redis.run('INFO', 'memory')))?.[1]);
    for (let room = 0; (await queued()).length === 0; room += ROOM_STEP_BYTES) {
      const before = await tries();
      await setMaxMemory(used + room);
      await until(async () => (await tries()) > before);
    }
    expect((await queued()).length).toBeLessThan(500);
    await setMaxMemory(0);
    await untilQueued(expected);
  },
  TIMEOUT_MS,
);
test.each(outages.slice(0, 2))('while Redis is %s the dashboard says so, and does not hang', async (_, takeAway) => {
  await startWithRedis();
  await takeAway();
  await until(async () => (await api.get('/readyz')).body.redis === 'down');
  const startedAt = performance.now();
  expect(await api.get('/queues/api/queues')).toMatchObject({ status: 503, body: { code: 'redis_unavailable' } });
  const headers = { authorization: `Bearer ${ADMIN_API_KEY}`, accept: 'text/html,*/*' };
  const page = await fetch(`${apiProcess.url}/queues`, { headers });
  expect(page.status).toBe(503);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('Redis does not answer');
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect((await fetch(`${apiProcess.url}/queues`)).status).toBe(401);
});

/** How often the API has tried in vain, or in part, to enqueue what it holds. */
async function tries(): Promise<number> {
  const metrics = await (await fetch(`${apiProcess.url}/metrics`)).text();
  return Number(/^driftwire_enqueue_failures_total\S* (\d+)$/m.exec(metrics)?.[1]);
}

async function startOwnApi(): Promise<void> {
  apiProcess = await startApi({ databaseUrl: stack.database.url, redisUrl: redis.url });
  api = apiClient(apiProcess.url);
}

async function startWithRedis(): Promise<void> {
  await Promise.all([redis.start(), startOwnApi()]);
  await until(async () => (await api.get('/readyz')).body.redis === 'ok');
}

/** Posts one after the other, none of which waits for Redis, and answers the deliveries to expect. */
async function postTwentyFast(): Promise<string[]> {
  const expected: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    const startedAt = performance.now();
    const { status, body } = await api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(status).toBe(202);
    expected.push(deliveryId(body));
  }
  return expected;
}

type Accepted = { deliveries: { id: string }[] };

async function postBatch(size: number): Promise<Accepted[]> {
  const events = Array.from({ length: size }, () => aDriftEvent());
  return (await api.post('/v1/drift-events/batch', { customer_id: customer.id, events })).body.results;
}

function deliveryId({ deliveries }: Accepted): string {
  return deliveries[0]?.id ?? '';
}

/** The deliveries that a worker would take: by the waiting list itself, not only the jobs' hashes. */
async function queued(): Promise<string[]> {
  const [waiting, behind] = await Promise.all([
    redis.run('LRANGE', 'driftwire:deliveries:wait', 0, -1),
    redis.run('ZRANGE', 'driftwire:deliveries:prioritized', 0, -1),
  ]);
  const jobs = await Promise.all(
    [...(waiting as string[]), ...(behind as string[])].map((id) =>
      redis.run('HGET', `driftwire:deliveries:${id}`, 'data'),
    ),
  );
  return jobs.flatMap((data) => {
    const { deliveryId, others = [] } = JSON.parse(String(data));
    return [deliveryId, ...others.map(([other]: [string]) => other)];
  });
}

/** BullMQ adds a job by one script call, also when the job is there already. */
async function scriptCalls(): Promise<number> {
  const stats = String(await redis.run('INFO', 'commandstats'));
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function untilQueued(expected: string[]): Promise<void> {
  await until(async () => (await queued()).length >= expected.length, { deadlineMs: 5_000 });
  expect((await queued()).sort()).toEqual([...expected].sort());
}

const setMaxMemory = (bytes: number) => redis.run('CONFIG', 'SET', 'maxmemory', bytes);
