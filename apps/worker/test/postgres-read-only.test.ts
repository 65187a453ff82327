import {
  aDriftEvent,
  apiClient,
  freshRedis,
  ownPostgres,
  startApi,
  startReceiver,
  startWorker,
  until,
} from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { cleanUp, cleanups } from './own-stacks.js';

afterEach(cleanUp, 40_000);

/** Shorter than the lease that follows from it, so that nothing is taken over meanwhile. */
const REQUEST_TIMEOUT_MS = 10_000;
const COUNT = 50;

test('Postgres read-only while 50 deliveries are in flight, as in a failover: the worker is not ready, each is recorded later and none is sent twice', async () => {
  const [postgres, redis, receiver] = await Promise.all([ownPostgres(), freshRedis(), startReceiver()]);
  cleanups.push(postgres.close, redis.close, receiver.close);
  const options = {
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    env: { REQUEST_TIMEOUT_MS: `${REQUEST_TIMEOUT_MS}` },
  };
  const [api, worker] = await Promise.all([startApi(options), startWorker(options)]);
  cleanups.push(api.stop, worker.stop);
  const client = apiClient(api.url);
  const customer = await client.post('/v1/customers', { name: 'Acme' });
  await client.post('/v1/endpoints', { customer_id: customer.body.id, name: 'all', url: receiver.url });
  let answer = () => {};
  const answered = new Promise<number>((resolve) => (answer = () => resolve(200)));
  receiver.reply(() => answered);
  const events = Array.from({ length: COUNT }, () => aDriftEvent());
  await client.post('/v1/drift-events/batch', { customer_id: customer.body.id, events });
  await until(() => receiver.requests.length === COUNT);

  const setReadOnly = async (value: 'on' | 'off') => {
    await postgres.run(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await postgres.run('SELECT pg_reload_conf()');
  };
  await setReadOnly('on');
  await until(async () => (await fetch(`${worker.url}/readyz`)).status === 503);
  answer();
  // Several records have been refused: each is repeated every 250 ms.
  await until(async () => (await postgres.log()).split('in a read-only transaction').length > 4);
  await setReadOnly('off');
  await until(async () => Number((await postgres.run(SUCCESSES)).rows[0].count) === COUNT);
  expect(receiver.requests).toHaveLength(COUNT);
  expect((await postgres.run('SELECT count(*)::int FROM attempts')).rows[0].count).toBe(COUNT);
  expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);
}, 60_000);

const SUCCESSES = `SELECT count(*) FROM deliveries WHERE status = 'success'`;
