import {
  type ApiClient,
  aDriftEvent,
  apiClient,
  startApi,
  startProxy,
  type TcpProxy,
  type TestProcess,
  until,
} from '@driftwire/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let proxy: TcpProxy;
let apiProcess: TestProcess;
let api: ApiClient;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
  proxy = await startProxy(stack.database.url);
  apiProcess = await startApi({ databaseUrl: proxy.url, redisUrl: stack.redis.url });
  api = apiClient(apiProcess.url);
});
beforeEach(() => proxy.cut());
afterEach(() => proxy.restore());
afterAll(async () => {
  proxy.cut();
  await apiProcess.stop();
  await stack.close();
});

const post = () => api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));

test('while Postgres stays away a POST is 503 with Retry-After within seconds, and nothing is enqueued', async () => {
  const startedAt = performance.now();
  const answers = await Promise.all([post(), post(), api.get('/v1/deliveries')]);
  expect(performance.now() - startedAt).toBeLessThan(7_000);
  for (const answer of answers) {
    expect(answer).toEqual(aProblem(503, 'database_unavailable'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await stack.prisma.driftEvent.count()).toBe(0);
  expect(await stack.redis.redis.keys('driftwire:deliveries:*-1')).toEqual([]);
});

test('while Postgres is away the API is alive and not ready', async () => {
  expect((await api.get('/healthz')).status).toBe(200);
  expect(await api.get('/readyz')).toMatchObject({ status: 503, body: { postgres: 'down' } });
});

test('while Postgres is away nobody but the key of the environment can be known: 503, not 401', async () => {
  const { body } = await stack.api.post('/v1/api-keys', { customer_id: customer.id, name: 'k', role: 'viewer' });
  expect(await api.as(body.key).get('/v1/deliveries')).toEqual(aProblem(503, 'database_unavailable'));
  expect(await api.as('nonsense').get('/v1/deliveries')).toEqual(aProblem(401, 'unauthorized'));
});

test('when Postgres is back the same process goes on', async () => {
  expect((await post()).status).toBe(503);
  await proxy.restore();
  const accepted = await until(async () => {
    const answer = await post();
    return answer.status === 202 && answer;
  });
  expect(accepted.body.deliveries).toHaveLength(1);
});
