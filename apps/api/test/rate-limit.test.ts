import { apiClient, type OwnRedis, ownRedis, startApi, until } from '@driftwire/testing';
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

test.each<[string, () => unknown, () => unknown]>([
  ['frozen', () => redis.freeze(), () => redis.thaw()],
  ['gone', () => redis.stop(), () => redis.start()],
  ['full', () => redis.run('CONFIG', 'SET', 'maxmemory', '1'), () => redis.run('CONFIG', 'SET', 'maxmemory', '0')],
])('with a Redis that is %s each process counts for itself, and nobody waits', async (_, take, giveBack) => {
  const { viewer } = await aCustomer(stack);
  await take();
  const startedAt = performance.now();
  const first = await viewer.get(path);
  const firstMs = performance.now() - startedAt;
  const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => viewer.get(path)));
  const wholeMs = performance.now() - startedAt;
  await giveBack();
  expect(first.status).toBe(200);
  // The fallback is at 40 ms; the rest is the request. A producer's command, which waits longer, would take 2 s.
  expect(firstMs).toBeLessThan(500);
  expect(wholeMs).toBeLessThan(1_500);
  const served = answers.filter(({ status }) => status === 200).length;
  expect(served).toBeGreaterThan(0);
  expect(served).toBeLessThanOrEqual(2 * LIMIT);
  await until(async () => (await viewer.get(path)).status === 200);
});
