import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type ApiClient,
  aDriftEvent,
  apiClient,
  type FreshDatabase,
  findFreePort,
  freshDatabase,
  freshRedis,
  migrate,
  type Receiver,
  startApi,
  startReceiver,
  startWorker,
  until,
} from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { cleanUp, cleanups } from './own-stacks.js';

afterEach(cleanUp, 40_000);

async function aDatabase(...settings: string[]): Promise<FreshDatabase> {
  const database = await freshDatabase({ template: null });
  cleanups.push(database.drop);
  const { pathname } = new URL(database.url);
  for (const setting of settings) await database.run(`ALTER DATABASE "${pathname.slice(1)}" SET ${setting}`);
  return database;
}

/** An API, a worker and a receiver with its endpoint, on a database that is migrated here. */
async function aSystem(databaseUrl: string): Promise<{ api: ApiClient; receiver: Receiver; endpointId: string }> {
  await migrate(databaseUrl);
  const [redis, receiver] = await Promise.all([freshRedis(), startReceiver()]);
  cleanups.push(redis.close, receiver.close);
  const processes = await Promise.all([
    startApi({ databaseUrl, redisUrl: redis.url }),
    startWorker({ databaseUrl, redisUrl: redis.url }),
  ]);
  cleanups.push(async () => Promise.all(processes.map((process) => process.stop())));
  const platform = apiClient(processes[0].url);
  const customer = await platform.post('/v1/customers', { name: 'Acme' });
  const key = await platform.post('/v1/api-keys', { customer_id: customer.body.id, name: 'k', role: 'admin' });
  const api = platform.as(key.body.key);
  const endpoint = await api.post('/v1/endpoints', { name: 'one', url: receiver.url });
  return { api, receiver, endpointId: endpoint.body.id };
}

const post = async (api: ApiClient) => (await api.post('/v1/drift-events', aDriftEvent())).body;
const signatures = ({ requests }: Receiver) => String(requests.at(-1)?.headers['webhook-signature']).split(' ').length;
const secondsFromNow = (time: string) => Math.abs(Date.parse(time) - Date.now()) / 1_000;

test.each([
  ['east', 'Asia/Kolkata', 'SQL, DMY'],
  ['west', 'America/New_York', 'German'],
])(
  '%s of Greenwich every instant is right, and an overlap lasts as long as it was asked to',
  async (_, zone, style) => {
    const database = await aDatabase(`timezone = '${zone}'`, `datestyle = '${style}'`);
    const url = `${database.url}?options=-c%20timezone%3D${encodeURIComponent(zone)}%20-c%20plan_cache_mode%3Dforce_custom_plan`;
    const { api, receiver, endpointId } = await aSystem(url);

    const rotated = await api.post(`/v1/endpoints/${endpointId}/rotate-secret`, { overlap_seconds: 3600 });
    expect(secondsFromNow(rotated.body.previous_secret_expires_at)).toBeLessThan(3_660);
    expect(secondsFromNow(rotated.body.previous_secret_expires_at)).toBeGreaterThan(3_540);
    const { deliveries } = await post(api);
    await until(() => receiver.requests.length === 1);
    expect(signatures(receiver)).toBe(2);

    const delivery = await until(async () => {
      const { body } = await api.get(`/v1/deliveries/${deliveries[0].id}`);
      return body.status === 'success' && body;
    });
    const { created_at, completed_at, last_attempt_at, attempts } = delivery;
    const audit = await api.get('/v1/audit-log');
    const endpoint = await api.get(`/v1/endpoints/${endpointId}`);
    const times = [created_at, completed_at, last_attempt_at, attempts[0].started_at, endpoint.body.created_at];
    for (const time of [...times, audit.body.data[0].created_at]) expect(secondsFromNow(time)).toBeLessThan(60);

    await api.post(`/v1/endpoints/${endpointId}/rotate-secret`, { overlap_seconds: 1 });
    await until(async () => {
      const { body } = await api.get(`/v1/endpoints/${endpointId}`);
      return body.previous_secret_expires_at === null;
    });
    await post(api);
    await until(() => receiver.requests.length === 2);
    expect(signatures(receiver)).toBe(1);
  },
  60_000,
);

test('two installations in two schemas of one database know nothing of each other', async () => {
  const database = await aDatabase('search_path = elsewhere');
  const [one, other] = [`${database.url}?schema=dw`, `${database.url}?schema=public`];
  const { api, receiver } = await aSystem(one);
  await post(api);
  await until(() => receiver.requests.length === 1);
  await migrate(other);
  const counts = ['dw', 'public'].map(async (schema) => {
    const { rows } = await database.run(`SELECT count(*)::int FROM ${schema}.drift_events`);
    return rows[0].count;
  });
  expect(await Promise.all(counts)).toEqual([1, 0]);
}, 60_000);

const program = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

test('a search_path that the database sets and the URL does not confirm is refused by all, with what to do', async () => {
  const database = await aDatabase('search_path = dw, public');
  const redis = await freshRedis();
  cleanups.push(redis.close);
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    ADMIN_API_KEY: 'x'.repeat(32),
  };
  for (const file of ['packages/database/dist/migrate-cli.js', 'apps/worker/dist/main.js', 'apps/api/dist/main.js']) {
    const port = `${await findFreePort()}`;
    const run = promisify(execFile)(process.execPath, [program(file)], {
      env: { ...env, PORT: port, WORKER_PORT: port },
    });
    await expect(run).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining('?schema=dw') });
  }
}, 60_000);
