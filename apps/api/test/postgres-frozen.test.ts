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
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
afterAll(async () => {
  proxy.cut();
  await apiProcess.stop();
  await stack.close();
});

/** The longest wait for an answer on an open connection is 10 s, for a new connection 3 s. */
const BOUND_MS = 13_000;

const post = () => api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }), { 'idempotency-key': 'k' });

test('a frozen Postgres: a POST on an open and on a new connection is 503 in bounded time, the API is alive and not ready', async () => {
  expect((await api.get('/readyz')).status).toBe(200);
  proxy.stall();
  const startedAt = performance.now();
  const answers = Promise.all([post(), post(), post()]);
  expect(await api.get('/readyz')).toMatchObject({ status: 503, body: { postgres: 'down' } });
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect((await api.get('/healthz')).status).toBe(200);

  for (const answer of await answers) {
    expect(answer).toEqual(aProblem(503, 'database_unavailable'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
  expect(await stack.redis.redis.keys('driftwire:deliveries:*-1')).toEqual([]);

  await proxy.restore();
  const accepted = await until(async () => {
    const answer = await post();
    return answer.status === 202 && answer;
  });
  expect(accepted.body.deliveries).toHaveLength(1);
  expect(await stack.prisma.driftEvent.count()).toBe(1);
  expect((await api.get('/readyz')).status).toBe(200);
}, 30_000);
