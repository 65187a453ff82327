import { type ApiClient, aDriftEvent, apiClient, type OwnRedis, ownRedis, startApi, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, setup } from './setup.js';

/** Room for the requests of the admin key that make a customer and its keys. */
const LIMIT = 20;
const env = { RATE_LIMIT_PER_KEY: `${LIMIT}` };
let stack: ApiStack;
let redis: OwnRedis;
beforeAll(async () => {
  redis = await ownRedis();
  await redis.start();
  stack = await setup({ env, redisUrl: redis.url });
});
afterAll(async () => {
  await stack.close();
  await redis.close();
});

const path = '/v1/endpoints';

test('a key that asks too often is told to wait, and other keys are not', async () => {
  const { viewer, producer } = await aCustomer(stack);
  const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => viewer.get(path)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(2 * LIMIT);
  expect(refused[0]).toEqual(aProblem(429, 'rate_limited'));
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  const [first] = answers;
  expect(first?.headers.get('ratelimit-limit')).toBe(`${LIMIT}`);
  expect(Number(first?.headers.get('ratelimit-remaining'))).toBeLessThan(LIMIT);
  expect(first?.headers.get('ratelimit-reset')).toBe('1');
  expect((await producer.get(path)).status).toBe(200);
});

test('requests without a key use up nobody’s share', async () => {
  const { viewer } = await aCustomer(stack);
  await Promise.all(Array.from({ length: 4 * LIMIT }, () => stack.api.as(null).get(path)));
  expect((await viewer.get(path)).status).toBe(200);
});

test('two API processes count together', async () => {
  const other = await startApi({ databaseUrl: stack.database.url, redisUrl: redis.url, env });
  // With another key, should a window end on the way: a process that counted for itself would refuse no key's first request.
  await until(async () => {
    const { body } = await stack.api.post('/v1/api-keys', { role: 'admin', name: 'for two' });
    const [here, there] = [stack.api.as(body.key), apiClient(other.url).as(body.key)];
    await Promise.all(Array.from({ length: LIMIT }, () => here.get(path)));
    return (await there.get(path)).status === 429;
  });
  await other.stop();
});

const batchOf = (events: number) => ({ events: Array.from({ length: events }, () => aDriftEvent()) });
const post = (producer: ApiClient, events: number) => producer.post('/v1/drift-events/batch', batchOf(events));

test('the events of a batch are counted: it is let through, and its key waits as long as they would have taken', async () => {
  const { producer, viewer } = await aCustomer(stack);
  const startedAt = performance.now();
  const batch = await post(producer, 3 * LIMIT);
  expect(batch.status).toBe(202);
  expect(batch.headers.get('ratelimit-remaining')).toBe('0');
  expect(batch.headers.get('ratelimit-reset')).toBe('3');
  const refused = await producer.get(path);
  expect(refused).toEqual(aProblem(429, 'rate_limited'));
  expect(refused.headers.get('retry-after')).toBe('3');
  expect((await viewer.get(path)).status).toBe(200);
  await until(async () => (await producer.get(path)).status === 200);
  expect(performance.now() - startedAt).toBeGreaterThan(2_000);
});

test('a batch within the share costs its events and no waiting', async () => {
  const { producer } = await aCustomer(stack);
  const batch = await post(producer, LIMIT / 2);
  expect(Number(batch.headers.get('ratelimit-remaining'))).toBe(LIMIT / 2);
  expect(batch.headers.get('ratelimit-reset')).toBe('1');
  expect((await producer.get(path)).status).toBe(200);
});

test('a batch that is refused for what is in it is counted all the same', async () => {
  const { producer } = await aCustomer(stack);
  const bad = { events: [...batchOf(2 * LIMIT).events, aDriftEvent({ nonsense: 1 })] };
  expect((await producer.post('/v1/drift-events/batch', bad)).status).toBe(400);
  // A little more than two windows, less what has passed since.
  expect((await producer.get(path)).headers.get('retry-after')).toMatch(/^[23]$/);
});

test.each<[string, () => unknown, () => unknown]>([
  ['frozen', () => redis.freeze(), () => redis.thaw()],
  ['gone', () => redis.stop(), () => redis.start()],
  ['full', () => redis.run('CONFIG', 'SET', 'maxmemory', '1'), () => redis.run('CONFIG', 'SET', 'maxmemory', '0')],
])('with a Redis that is %s each process counts for itself, and nobody waits', async (_, take, giveBack) => {
  const { viewer, producer } = await aCustomer(stack);
  await take();
  const startedAt = performance.now();
  const first = await viewer.get(path);
  const firstMs = performance.now() - startedAt;
  const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => viewer.get(path)));
  const wholeMs = performance.now() - startedAt;
  const charged = await post(producer, 4 * LIMIT);
  const owing = await producer.get(path);
  await giveBack();
  expect(first.status).toBe(200);
  // The fallback is at 40 ms; the rest is the request. A producer's command, which waits longer, would take 2 s.
  expect(firstMs).toBeLessThan(500);
  expect(wholeMs).toBeLessThan(1_500);
  const served = answers.filter(({ status }) => status === 200).length;
  expect(served).toBeGreaterThan(0);
  expect(served).toBeLessThanOrEqual(2 * LIMIT);
  expect(charged.status).toBe(202);
  expect(owing.status).toBe(429);
  expect(Number(owing.headers.get('retry-after'))).toBeGreaterThanOrEqual(3);
  await until(async () => (await viewer.get(path)).status === 200);
});
