import { ADMIN_API_KEY, type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from './open-database.js';

const CUSTOMERS = 4;
/** Of the test processes (packages/testing/src/processes.ts). */
const ENCRYPTION_KEY = Buffer.alloc(32, 7);

let stack: Stack;
/** What was given in confidence, and what it is. */
const confidential = new Map<string, string>();
/** What is nobody's secret, and must be found: then the search works. */
const known: string[] = [];
beforeAll(async () => {
  stack = await startStack({ env: { LOG_LEVEL: 'trace', RETRY_BASE_DELAY_MS: '20' } });
  // The worst of receivers: sends back everything it gets, and fails every second time.
  stack.receiver.reply(({ headers }) => ({
    status: stack.receiver.requests.length % 2 === 0 ? 200 : 500,
    headers: { 'x-echo': `${headers['x-key']}` },
    body: JSON.stringify(headers),
  }));
  confidential.set(ADMIN_API_KEY, 'the platform key');
  confidential.set(ENCRYPTION_KEY.toString('base64'), 'an encryption key');
  await Promise.all(Array.from({ length: CUSTOMERS }, (_, number) => actAsCustomer(number)));
}, 60_000);
afterAll(() => stack.close());

async function actAsCustomer(number: number): Promise<void> {
  const { api, receiver } = stack;
  const header = `Bearer given-to-us-${number}-0123456789`;
  confidential.set(header, 'a custom header');
  const { id } = (await api.post('/v1/customers', { name: `Customer ${number}` })).body;
  const { key } = (await api.post('/v1/api-keys', { customer_id: id, role: 'admin', name: 'admin' })).body;
  confidential.set(key.slice(-43), 'an API key');
  const admin = api.as(key);
  const input = { name: 'one', url: receiver.url, headers: { 'X-Key': header } };
  const { body: endpoint } = await admin.post('/v1/endpoints', input);
  confidential.set(endpoint.secret, 'a secret');
  const rotated = await admin.post(`/v1/endpoints/${endpoint.id}/rotate-secret`, {});
  confidential.set(rotated.body.secret, 'a rotated secret');
  known.push(id, endpoint.id);

  // In the wrong places.
  const wrong = `whsec_${Buffer.from(`wrong place ${number}`).toString('base64')}`;
  confidential.set(wrong, 'a secret that was refused');
  for (const body of [{ ...input, secret: wrong }, { ...input, headers: { Host: wrong } }, `{"secret":"${wrong}"`]) {
    const refused = await admin.post('/v1/endpoints', body);
    expect(refused.status).toBe(400);
    expect(refused.text).not.toContain(wrong);
  }
  await api.as(`${key.slice(0, -1)}_`).get('/v1/endpoints');

  const tested = await admin.post(`/v1/endpoints/${endpoint.id}/test`);
  expect(tested.text).toContain('[redacted]');
  expect(tested.text).not.toContain(header);
  const event = await stack.postEvent(id);
  const delivery = await until(async () => {
    const { body } = await admin.get(`/v1/deliveries/${event.deliveries[0].id}`);
    return body.completed_at !== null && body;
  });
  await admin.post(`/v1/deliveries/${delivery.id}/retry`);
  known.push(delivery.id);
}

test('neither the database nor Redis, the logs, the pages or any answer holds what was given in confidence', async () => {
  const places = {
    database: await databaseDump(),
    redis: await redisDump(),
    logs: [...stack.apis, ...stack.workers].map((process) => process.output()).join('\n'),
    answers: await everyAnswer(),
  };
  for (const text of [places.database, places.answers]) {
    expect(known.filter((id) => !text.includes(id))).toEqual([]);
  }
  expect(places.redis).toContain('deliveryId');
  expect(places.logs).toContain('delivery.attempted');
  expect(confidential.size).toBe(2 + 5 * CUSTOMERS);
  const found = Object.entries(places).flatMap(([place, text]) =>
    [...confidential].flatMap(([value, what]) =>
      spellingsOf(value).some((spelling) => text.includes(spelling)) ? [`${what} in the ${place}`] : [],
    ),
  );
  expect(found).toEqual([]);
});

/** As it is, and as bytes or bases of it would be written down. */
function spellingsOf(value: string): string[] {
  const bytes = [Buffer.from(value), Buffer.from(value.replace(/^whsec_/, ''), 'base64')];
  return [
    value,
    value.replace(/^whsec_/, ''),
    ...bytes.flatMap((each) => [each.toString('hex'), each.toString('base64'), each.toString('base64url')]),
  ];
}

async function databaseDump(): Promise<string> {
  const { prisma, close } = openDatabase(stack);
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`;
  const rows = await Promise.all(
    tables.map(({ name }) =>
      prisma.$queryRawUnsafe<{ row: string }[]>(`SELECT to_jsonb(t)::text AS row FROM "${name}" t`),
    ),
  );
  await close();
  return rows.flatMap((found) => found.map(({ row }) => row)).join('\n');
}

async function redisDump(): Promise<string> {
  const { redis } = stack.redis;
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.call('GET', key),
    hash: (key) => redis.call('HGETALL', key),
    list: (key) => redis.call('LRANGE', key, '0', '-1'),
    set: (key) => redis.call('SMEMBERS', key),
    zset: (key) => redis.call('ZRANGE', key, '0', '-1'),
    stream: (key) => redis.call('XRANGE', key, '-', '+'),
  };
  const values = (await redis.keys('*')).map(async (key) => [key, await read[await redis.type(key)]?.(key)]);
  return JSON.stringify(await Promise.all(values));
}

async function everyAnswer(): Promise<string> {
  const { api } = stack;
  const lists = ['customers', 'api-keys', 'endpoints', 'drift-events', 'deliveries', 'audit-log'];
  const pages = await Promise.all(lists.map((list) => api.get(`/v1/${list}?limit=200`)));
  const ids = lists.flatMap((list, index) =>
    pages[index]?.body.data.map(({ id }: { id: string }) => `/v1/${list}/${id}`),
  );
  const more = [
    '/metrics',
    '/openapi.json',
    '/queues/api/queues?activeQueue=deliveries&status=completed&jobsPerPage=100',
  ];
  const singles = await Promise.all([...ids, ...more].map((path) => api.get(path)));
  return [...pages, ...singles].map(({ text }) => text).join('\n');
}
