import { type ApiClient, aDriftEvent, apiClient, startApi, type TestProcess, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, type Customer, setup } from './setup.js';
import { startProxy, type TcpProxy } from './tcp-proxy.js';

let stack: ApiStack;
let customer: Customer;
let proxy: TcpProxy;
let apiProcess: TestProcess;
let api: ApiClient;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
  proxy = await startProxy(stack.redis.url);
  proxy.cut();
  apiProcess = await startApi({ databaseUrl: stack.database.url, redisUrl: proxy.url });
  api = apiClient(apiProcess.url);
});
afterAll(async () => {
  proxy.cut();
  await apiProcess.stop();
  await stack.close();
});

const jobs = () => stack.redis.redis.keys('driftwire:deliveries:*-1');

test('without Redis the API starts, is ready, and says that Redis is down', async () => {
  expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { postgres: 'ok', redis: 'down' } });
});

test('without Redis a 202 is as fast as ever, and the jobs are there soon after Redis is', async () => {
  const startedAt = performance.now();
  for (let n = 0; n < 10; n += 1) {
    expect((await api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }))).status).toBe(202);
  }
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(await jobs()).toEqual([]);
  await proxy.restore();
  await until(async () => (await jobs()).length === 10, { deadlineMs: 4000 });
  await until(async () => (await api.get('/readyz')).body.redis === 'ok');
});

test('without Redis the dashboard answers, and does not hang', async () => {
  proxy.cut();
  await until(async () => (await api.get('/readyz')).body.redis === 'down');
  const { status } = await api.get('/queues/api/queues');
  expect(status).toBeGreaterThanOrEqual(500);
});
