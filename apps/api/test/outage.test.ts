import { randomUUID } from 'node:crypto';
import {
  type ApiAnswer,
  type ApiClient,
  aDriftEvent,
  apiClient,
  type FreshRedis,
  freshRedis,
  type OwnPostgres,
  ownPostgres,
  startApi,
  startProxy,
  type TcpProxy,
  type TestProcess,
  until,
} from '@driftwire/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { aProblem } from './setup.js';

const RIDE_OUT_MS = 5_000;

let postgres: OwnPostgres;
let redis: FreshRedis;
let proxy: TcpProxy;
let process_: TestProcess;
let api: ApiClient;
/** With a key that is stored, so that every request begins with a look-up. */
let producer: ApiClient;
let customerId: string;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([ownPostgres(), freshRedis()]);
  proxy = await startProxy(postgres.url);
  await start();
  customerId = (await api.post('/v1/customers', { name: 'Acme' })).body.id;
  await api.post('/v1/endpoints', { customer_id: customerId, name: 'all', url: 'http://127.0.0.1:9/' });
});
beforeEach(async () => {
  if (!(await isUp())) await start();
  const key = await api.post('/v1/api-keys', { customer_id: customerId, name: 'p', role: 'producer' });
  producer = api.as(key.body.key);
});
afterEach(() => proxy.restore());
afterAll(async () => {
  await process_?.stop();
  proxy?.cut();
  await Promise.all([postgres?.close(), redis?.close()]);
});

async function start() {
  process_ = await startApi({ databaseUrl: proxy.url, redisUrl: redis.url });
  api = apiClient(process_.url);
}

const isUp = () =>
  api.get('/healthz').then(
    () => true,
    () => false,
  );
const isReady = async () => (await api.get('/readyz')).status === 200;
const post = (key?: string, body = aDriftEvent()) =>
  producer.post('/v1/drift-events', body, key === undefined ? {} : { 'idempotency-key': key });
const timed = async <T>(work: Promise<T>) => {
  const startedAt = performance.now();
  return { answer: await work, tookMs: performance.now() - startedAt };
};
const countOf = async (table: string, where = 'true') =>
  Number((await postgres.run(`SELECT count(*) FROM ${table} WHERE ${where}`)).rows[0].count);

/** One request every 10 ms until told to stop; what each came to. */
function postSteadily() {
  const sent: Promise<{ answer: ApiAnswer; at: number; answeredAt: number }>[] = [];
  const timer = setInterval(() => {
    const at = performance.now();
    sent.push(post(randomUUID()).then((answer) => ({ answer, at, answeredAt: performance.now() })));
  }, 10);
  return async () => {
    clearInterval(timer);
    return Promise.all(sent);
  };
}

test('Postgres killed and back: no request is refused that has not waited five seconds, none is stored twice', async () => {
  const before = await countOf('drift_events');
  const stop = postSteadily();
  await until(async () => (await countOf('drift_events')) > before + 20);
  postgres.kill();
  await until(async () => !(await isReady()));
  await postgres.start();
  const backAt = performance.now();
  await until(isReady);
  await until(async () => (await countOf('drift_events')) > before + 100);
  const answers = await stop();
  const refused = answers.filter(({ answer }) => answer.status !== 202);
  expect(refused.filter(({ at, answeredAt }) => answeredAt - at < RIDE_OUT_MS - 100)).toEqual([]);
  const ids = answers.filter(({ answer }) => answer.status === 202).map(({ answer }) => answer.body.id);
  expect(ids.length).toBeGreaterThan(100);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await countOf('drift_events', `id IN ('${ids.join("','")}')`)).toBe(ids.length);
  expect((await countOf('drift_events')) - before).toBeLessThanOrEqual(answers.length);
  const firstAfter = Math.min(...answers.map(({ answeredAt }) => answeredAt).filter((at) => at > backAt));
  expect(firstAfter - backAt).toBeLessThan(2_000);
}, 60_000);

test('reads and their key look-ups ride it out, too', async () => {
  const { body } = await post();
  proxy.cut();
  const reads = Promise.all([producer.get('/v1/deliveries'), producer.get(`/v1/drift-events/${body.id}`)]);
  await until(async () => !(await isReady()));
  await proxy.restore();
  expect((await reads).map(({ status }) => status)).toEqual([200, 200]);
});

test('longer than five seconds from its arrival nobody waits: 503 with Retry-After, and nothing is stored', async () => {
  const before = await countOf('drift_events');
  proxy.cut();
  const answers = await Promise.all([timed(post()), timed(producer.get('/v1/deliveries')), timed(post('k'))]);
  for (const { answer, tookMs } of answers) {
    expect(answer).toEqual(aProblem(503, 'database_unavailable'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(tookMs).toBeGreaterThan(RIDE_OUT_MS - 100);
    expect(tookMs).toBeLessThan(RIDE_OUT_MS + 1_500);
  }
  await proxy.restore();
  await until(isReady);
  expect(await countOf('drift_events')).toBe(before);
});

test('SIGTERM while Postgres is away: whoever waits is told at once', async () => {
  proxy.cut();
  const waiting = timed(post());
  await until(async () => !(await isReady()));
  process_.signal('SIGTERM');
  const { answer, tookMs } = await waiting;
  expect(answer).toEqual(aProblem(503, 'database_unavailable'));
  expect(tookMs).toBeLessThan(RIDE_OUT_MS - 1_000);
  expect(await process_.exited).toBe(0);
});

test.each([
  ['without a key', undefined],
  ['with a key', 'lost'],
])('an answer of Postgres lost after the commit, %s: 202 as created, once, with its job', async (_, key) => {
  const before = await countOf('drift_events');
  await post();
  proxy.loseAnswers();
  const answer = await post(key);
  expect(answer.status).toBe(202);
  expect(answer.headers.get('idempotency-replayed')).toBeNull();
  expect(answer.body.deliveries).toEqual([expect.objectContaining({ status: 'pending' })]);
  expect(await countOf('drift_events')).toBe(before + 2);
  const [{ id }] = answer.body.deliveries;
  await until(async () => (await redis.redis.exists(`driftwire:deliveries:${id}-1`)) === 1);
});

test('the same in a batch, and for an event that nobody is subscribed to', async () => {
  const before = await countOf('drift_events');
  await post();
  proxy.loseAnswers();
  const events = [aDriftEvent(), { ...aDriftEvent(), idempotency_key: 'b' }];
  const batch = await producer.post('/v1/drift-events/batch', { events });
  expect(batch.status).toBe(202);
  expect(batch.body.results.map((result: { replayed: boolean }) => result.replayed)).toEqual([false, false]);

  const lonely = (await api.post('/v1/customers', { name: 'Lonely' })).body.id;
  proxy.loseAnswers();
  const answer = await api.post('/v1/drift-events', aDriftEvent({ customer_id: lonely }));
  expect([answer.status, answer.body.deliveries]).toEqual([202, []]);
  expect(await countOf('drift_events')).toBe(before + 4);
});

test('fifty twins whose answer was lost are one event', async () => {
  const before = await countOf('drift_events');
  proxy.loseAnswers();
  const answers = await Promise.all(Array.from({ length: 50 }, () => post('twin')));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(202);
  expect(await countOf('drift_events')).toBe(before + 1);
});

test('a create whose answer was lost is not repeated, for its secret would be lost: 503', async () => {
  proxy.loseAnswers();
  const answer = await api.post('/v1/endpoints', { customer_id: customerId, name: 'lost', url: 'http://127.0.0.1:9/' });
  expect(answer).toEqual(aProblem(503, 'database_unavailable'));
});

test('a create that was never sent waits like everybody else', async () => {
  proxy.cut();
  await until(async () => !(await isReady()));
  const created = api.post('/v1/customers', { name: 'Patient' });
  const read = producer.get('/v1/deliveries');
  await proxy.restore();
  expect((await read).status).toBe(200);
  expect((await created).status).toBe(201);
});

test('Postgres read-only for a while is away: not ready, nobody refused, none stored twice', async () => {
  const before = await countOf('drift_events');
  const setReadOnly = async (value: 'on' | 'off') => {
    await postgres.run(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await postgres.run('SELECT pg_reload_conf()');
  };
  await setReadOnly('on');
  await until(async () => !(await isReady()));
  const answers = Promise.all([post(), post('read-only'), producer.get('/v1/deliveries')]);
  const late = post();
  await until(async () => (await postgres.log()).includes('in a read-only transaction'));
  await setReadOnly('off');
  expect((await answers).map(({ status }) => status)).toEqual([202, 202, 200]);
  expect((await late).status).toBe(202);
  await until(isReady);
  expect(await countOf('drift_events')).toBe(before + 3);
});
