import { randomBytes } from 'node:crypto';
import { aDriftEvent, apiClient, startApi, until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
beforeEach(async () => {
  await stack.prisma.$queryRaw`SELECT make_partitions((now() AT TIME ZONE 'UTC')::date)`;
});
afterAll(() => stack.close());

const run = (sql: string) => stack.prisma.$executeRawUnsafe(sql);
const today = () => new Date().toISOString().slice(0, 10).replaceAll('-', '');
const TABLES = ['attempts', 'deliveries', 'drift_events'];
const detach = async (tables: readonly string[]) => {
  for (const table of tables) await run(`ALTER TABLE ${table} DETACH PARTITION ${table}_${today()}`);
};
const post = (api = stack.api) => api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));

test.each([[['drift_events']], [['deliveries']], [TABLES]])(
  'a day of which %j is detached: the event is stored, and what was there is back',
  async (tables) => {
    const { body: before } = await post();
    await detach(tables);
    const accepted = await post();
    expect(accepted).toMatchObject({ status: 202, body: { deliveries: [{ status: 'pending' }] } });
    expect((await stack.api.get(`/v1/drift-events/${before.id}`)).status).toBe(200);
    expect((await stack.api.get(`/v1/deliveries/${before.deliveries[0].id}`)).status).toBe(200);
  },
);

test('without a partition for days the day is made, and a batch and many requests at once are stored', async () => {
  await run(`DROP TABLE ${TABLES.map((table) => `${table}_${today()}`)}`);
  const batch = () =>
    stack.api.post('/v1/drift-events/batch', { customer_id: customer.id, events: [aDriftEvent(), aDriftEvent()] });
  const answers = await Promise.all([post(), post(), batch(), post(), batch()]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
});

test('how many days are there is a gauge', async () => {
  const { text } = await stack.api.get('/metrics');
  expect(text).toMatch(/driftwire_partition_days_ahead\{.*\} 8\n/);
});

test('where it cannot be made: 503 with Retry-After, not ready and why; both end when somebody else makes it', async () => {
  const role = `dw_${randomBytes(6).toString('hex')}`;
  await run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
  const url = new URL(stack.database.url);
  Object.assign(url, { username: role, password: 'x' });
  await detach(['drift_events']);
  const process = await startApi({ databaseUrl: url.href, redisUrl: stack.redis.url });
  const api = apiClient(process.url);
  const refused = await post(api);
  expect(refused).toEqual(aProblem(503, 'database_unavailable'));
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const notReady = { status: 503, body: { postgres: 'ok', partitions: 'none for today' } };
  await until(async () => (await api.get('/readyz')).status === 503);
  expect(await api.get('/readyz')).toMatchObject(notReady);
  expect((await api.get('/metrics')).text).toMatch(/driftwire_partition_days_ahead\{.*\} 0\n/);
  expect((await post()).status).toBe(202);
  expect((await post(api)).status).toBe(202);
  await until(async () => (await api.get('/readyz')).status === 200);
  await process.stop();
  await run(`DROP OWNED BY ${role}`);
  await run(`DROP ROLE ${role}`);
}, 60_000);
