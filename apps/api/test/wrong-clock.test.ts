import { type ApiClient, aDriftEvent, apiClient, startApi, type TestProcess, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aProblem, setup } from './setup.js';
import { shiftedClock, suspendableClock } from './shifted-clock.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MARGIN_MS = 10_000;

const clocks = [
  { clock: '10 days ahead', offMs: 10 * DAY_MS, said: 'off by 10 d, ahead of Postgres' },
  { clock: '3 days behind', offMs: -3 * DAY_MS, said: 'off by 3 d, behind Postgres' },
  { clock: '2 hours behind', offMs: -2 * HOUR_MS, said: 'off by 2 h, behind Postgres' },
  { clock: '5 years ahead', offMs: 5 * 365 * DAY_MS, said: 'off by 1825 d, ahead of Postgres' },
].map((clock, index) => ({ ...clock, index }));

let stack: ApiStack;
let processes: TestProcess[];
beforeAll(async () => {
  stack = await setup();
  const at = { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
  processes = await Promise.all(clocks.map(({ offMs }) => startApi({ ...at, env: shiftedClock(offMs) })));
}, 60_000);
afterAll(async () => {
  await Promise.all(processes.map((process) => process.stop()));
  await stack.close();
});

const apiOf = (index: number): ApiClient => apiClient(processes[index]?.url ?? '');
const isNow = (instant: string | Date | null | undefined) =>
  Math.abs(new Date(instant ?? 0).getTime() - Date.now()) < MARGIN_MS;

test.each(clocks)('$clock: an event is stored on the day of the database, at its time', async ({ index }) => {
  const api = apiOf(index);
  const { body: customer } = await api.post('/v1/customers', { name: 'Acme' });
  await api.post('/v1/endpoints', { customer_id: customer.id, name: 'all', url: stack.receiver.url });
  const days = await stack.prisma.$queryRaw`SELECT count(*)::int FROM pg_inherits`;
  const accepted = await api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));
  expect(accepted.status).toBe(202);
  expect(isNow(accepted.body.created_at)).toBe(true);
  const event = await stack.prisma.driftEvent.findUniqueOrThrow({ where: { id: accepted.body.id } });
  expect(isNow(event.createdAt)).toBe(true);
  expect(isNow(JSON.parse(event.body).metadata.created_at)).toBe(true);
  expect(isNow(new Date(Number.parseInt(event.id.replace('-', '').slice(0, 12), 16)))).toBe(true);
  expect(await stack.prisma.$queryRaw`SELECT count(*)::int FROM pg_inherits`).toEqual(days);
});

test.each(clocks)(
  '$clock: it is said at the start and by /readyz, which is ready all the same',
  async ({ index, said }) => {
    expect(await apiOf(index).get('/readyz')).toMatchObject({ status: 200, body: { postgres: 'ok', clock: said } });
    expect(processes[index]?.output()).toContain(`clock.off: this host's clock is ${said}`);
    const metrics = (await apiOf(index).get('/metrics')).text;
    const [, skew] = /driftwire_clock_skew_seconds\{.*\} (-?[\d.]+)/.exec(metrics) ?? [];
    expect(Math.abs(Number(skew) * 1_000 - (clocks[index]?.offMs ?? 0))).toBeLessThan(MARGIN_MS);
  },
);

test('a clock that is right is not mentioned', async () => {
  expect((await stack.api.get('/readyz')).body).toEqual({ postgres: 'ok', redis: 'ok' });
});

test.each(clocks)('$clock: an overlap of 60 s lasts 60 s for those who sign', async ({ index }) => {
  const api = apiOf(index);
  const { body: customer } = await api.post('/v1/customers', { name: 'Acme' });
  const { body } = await api.post('/v1/endpoints', { customer_id: customer.id, name: 'one', url: stack.receiver.url });
  const rotated = await api.post(`/v1/endpoints/${body.id}/rotate-secret`, { overlap_seconds: 60 });
  expect(rotated.status).toBe(200);
  const [left] = await stack.prisma.$queryRaw<{ seconds: number }[]>`
    SELECT extract(epoch FROM previous_secret_expires_at - now())::float8 AS seconds FROM endpoints WHERE id = ${body.id}::uuid`;
  expect(left?.seconds).toBeGreaterThan(50);
  expect(left?.seconds).toBeLessThanOrEqual(60);
  expect(isNow(new Date(Date.parse(rotated.body.previous_secret_expires_at) - 60_000))).toBe(true);
  const tested = await api.post(`/v1/endpoints/${body.id}/test`);
  expect(Object.keys(tested.body.request.headers)).toContain('X-Signature-Previous');
  expect(isNow(new Date(Number(tested.body.request.headers['webhook-timestamp']) * 1_000))).toBe(true);
});

test.each(clocks)(
  "$clock: a key expires by the database's clock, and in the future is what is so there",
  async ({ index }) => {
    const api = apiOf(index);
    const inOneHour = new Date(Date.now() + HOUR_MS).toISOString();
    const created = await api.post('/v1/api-keys', { role: 'admin', name: 'k', expires_at: inOneHour });
    expect(created.status).toBe(201);
    expect((await api.as(created.body.key).get('/v1/customers')).status).toBe(200);
    const anHourAgo = new Date(Date.now() - HOUR_MS).toISOString();
    const past = await api.post('/v1/api-keys', { role: 'admin', name: 'k', expires_at: anHourAgo });
    expect(past).toMatchObject({ status: 400, body: { errors: [{ pointer: '/expires_at' }] } });
    await stack.prisma.apiKey.update({ where: { id: created.body.id }, data: { expiresAt: new Date(anHourAgo) } });
    expect(
      (
        await apiOf((index + 1) % clocks.length)
          .as(created.body.key)
          .get('/v1/customers')
      ).status,
    ).toBe(401);
  },
);

test.each(clocks)(
  '$clock: whatever is created, changed, revoked or deleted carries the right time',
  async ({ index }) => {
    const api = apiOf(index);
    const { body: customer } = await api.post('/v1/customers', { name: 'Acme' });
    const { body: key } = await api.post('/v1/api-keys', { role: 'admin', name: 'k' });
    const { body } = await api.post('/v1/endpoints', {
      customer_id: customer.id,
      name: 'one',
      url: stack.receiver.url,
    });
    const changed = await api.patch(`/v1/endpoints/${body.id}`, { name: 'two' });
    await api.delete(`/v1/api-keys/${key.id}`);
    await api.delete(`/v1/endpoints/${body.id}`);
    const revoked = await stack.prisma.apiKey.findUniqueOrThrow({ where: { id: key.id } });
    const deleted = await stack.prisma.endpoint.findUniqueOrThrow({ where: { id: body.id } });
    const instants = [customer.created_at, key.created_at, body.created_at, changed.body.updated_at];
    expect([...instants, revoked.revokedAt, deleted.deletedAt, deleted.updatedAt].filter((at) => !isNow(at))).toEqual(
      [],
    );
    const newest = await stack.api.get('/v1/customers?limit=1');
    expect(newest.body.data).toMatchObject([{ id: customer.id }]);
  },
);

test('after its host was suspended it stores nothing under a time that has passed: 503, until it knows what time it is', async () => {
  const at = { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
  const process = await startApi({ ...at, env: suspendableClock() });
  const api = apiClient(process.url);
  const { body: customer } = await api.post('/v1/customers', { name: 'Acme' });
  const post = () => api.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));
  const refused = await until(async () => {
    process.signal('SIGUSR2');
    const answer = await post();
    return answer.status !== 202 && answer;
  });
  expect(refused).toEqual(aProblem(503, 'database_unavailable'));
  await until(async () => (await post()).status === 202);
  const events = await stack.prisma.driftEvent.findMany({ where: { customerId: customer.id } });
  expect(events.filter(({ createdAt }) => !isNow(createdAt))).toEqual([]);
  await process.stop();
}, 60_000);
