import { aDriftEvent, driftData } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, routes, setup, UNKNOWN_ID } from './setup.js';

type Row = Record<string, unknown> & { id: string };

let stack: ApiStack;
let customer: Customer;
let events: Row[];
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
  await customer.admin.post('/v1/endpoints', { name: 'drift', url: stack.receiver.url, event_types: ['drift.*'] });
  events = [];
  for (let n = 0; n < 5; n += 1) {
    const event = aDriftEvent({
      event_type: n % 2 === 0 ? 'drift.even' : 'model.odd',
      data: driftData({ drift_type: `TYPE_${n}` }),
    });
    const { body } = await customer.producer.post('/v1/drift-events', event, { 'idempotency-key': `key-${n}` });
    events.push(body);
  }
});
afterAll(() => stack.close());

const lists = routes.filter(({ method, path }) => method === 'GET' && !path.includes(':id')).map(({ path }) => path);
const idsOf = (rows: Row[]) => rows.map(({ id }) => id);
const list = async (path: string) => (await customer.admin.get(path)).body.data as Row[];

test.each(lists)('%s: newest first, and null ends it', async (path) => {
  const { body } = await stack.api.get(`${path}?limit=200`);
  expect(Object.keys(body)).toEqual(['data', 'next_cursor']);
  expect(idsOf(body.data)).toEqual(idsOf(body.data).sort().reverse());
  expect(body.next_cursor).toBeNull();
});

const limits = ['0', '-1', '201', '1e9', '1000000000', '1.5', 'abc', '', '%20'];
test.each(lists.flatMap((path) => limits.map((limit) => [path, limit])))('%s?limit=%s is 400', async (path, limit) => {
  const answer = await stack.api.get(`${path}?limit=${limit}`);
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors[0].pointer).toBe('/limit');
});

test.each(lists)('%s: 1 and 200 are limits, an unknown or doubled parameter is 400', async (path) => {
  expect((await stack.api.get(`${path}?limit=1`)).body.data.length).toBeLessThanOrEqual(1);
  expect((await stack.api.get(`${path}?limit=200`)).status).toBe(200);
  for (const query of ['nonsense=1', 'limit=1&limit=2', 'offset=0']) {
    expect(await stack.api.get(`${path}?${query}`)).toEqual(aProblem(400, 'invalid_request'));
  }
});

test.each(['/v1/drift-events', '/v1/deliveries'])('%s: pages walk over everything once, without gaps', async (path) => {
  const all = await list(path);
  const pages = await walk(`${path}?limit=2`);
  expect(pages.length).toBeGreaterThan(2);
  expect(pages.flat()).toEqual(idsOf(all));
});

test('what is created during a walk neither repeats nor hides a row', async () => {
  const before = idsOf(await list('/v1/api-keys'));
  const create = () => customer.admin.post('/v1/api-keys', { name: 'new', role: 'viewer' });
  expect((await walk('/v1/api-keys?limit=1', create)).flat()).toEqual(before);
});

test('a tampered, foreign or empty cursor is 400', async () => {
  const { next_cursor: cursor } = (await customer.viewer.get('/v1/drift-events?limit=1')).body;
  const swapped = `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`;
  for (const bad of [swapped, cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, UNKNOWN_ID, '', 'x'.repeat(5000)]) {
    const answer = await customer.viewer.get(`/v1/drift-events?cursor=${bad}`);
    expect(answer).toEqual(aProblem(400, 'invalid_request'));
    expect(answer.body.errors[0].pointer).toBe('/cursor');
  }
});

test('drift events by each of their filters', async () => {
  const third = events[3]?.id;
  const byEach = ['drift_type=TYPE_3', `request_id=${events[3]?.request_id}`, 'idempotency_key=key-3'];
  for (const filter of byEach) expect(idsOf(await list(`/v1/drift-events?${filter}`))).toEqual([third]);
  expect(await list('/v1/drift-events?event_type=drift.even')).toHaveLength(3);
  expect(await list('/v1/drift-events?event_type=drift.even&drift_type=TYPE_3')).toEqual([]);
});

test('deliveries by each of their filters', async () => {
  expect(await list('/v1/deliveries')).toHaveLength(8);
  expect(await list('/v1/deliveries?event_type=drift.even')).toHaveLength(6);
  expect(await list(`/v1/deliveries?event_id=${events[0]?.id}`)).toHaveLength(2);
  const [endpoint] = await list('/v1/endpoints');
  expect(await list(`/v1/deliveries?endpoint_id=${endpoint?.id}`)).toHaveLength(3);
  expect(await list('/v1/deliveries?status=pending')).toHaveLength(8);
  expect(await list('/v1/deliveries?status=success')).toEqual([]);
});

test('status=pending includes a delivery in flight', async () => {
  const [delivery] = await list('/v1/deliveries?limit=1');
  await stack.prisma.delivery.update({
    where: { id: delivery?.id ?? '' },
    data: { leaseExpiresAt: new Date(Date.now() + 60_000), starts: 1, lastAttemptAt: new Date() },
  });
  expect(idsOf(await list('/v1/deliveries?status=pending'))).toContain(delivery?.id);
});

test.each(['/v1/drift-events', '/v1/deliveries'])(
  '%s: created_after and created_before are exclusive',
  async (path) => {
    const at = `${events[2]?.created_at}`;
    const createdIn = async (query: string) =>
      (await list(`${path}?${query}`)).map(({ created_at }) => `${created_at}`);
    for (const time of await createdIn(`created_after=${at}`)) expect(time > at).toBe(true);
    for (const time of await createdIn(`created_before=${at}`)) expect(time < at).toBe(true);
    const around = `created_after=${shifted(at, -1)}&created_before=${shifted(at, 1)}`;
    expect(new Set(await createdIn(around))).toEqual(new Set([at]));
    const elsewhere = at.replace('Z', '%2B00:00');
    expect(await createdIn(`created_before=${elsewhere}`)).toEqual(await createdIn(`created_before=${at}`));
  },
);

test.each([
  '/v1/drift-events?event_type=%00',
  '/v1/drift-events?idempotency_key=%00',
  '/v1/drift-events?drift_type=%00',
  '/v1/drift-events?request_id=x',
  '/v1/drift-events?created_after=yesterday',
  '/v1/drift-events?created_before=0001-01-01T00:00:00%2B14:00',
  '/v1/deliveries?event_type=%00',
  '/v1/deliveries?status=done',
  '/v1/deliveries?endpoint_id=1',
  '/v1/deliveries?event_id=1',
])('%s is 400', async (path) => {
  expect(await customer.viewer.get(path)).toEqual(aProblem(400, 'invalid_request'));
});

test.each(["'; DROP TABLE deliveries; --", '%', '_', '\\', '😀', '%ED%A0%80'])(
  '%s in a filter is plain text',
  async (text) => {
    const value = text.startsWith('%E') ? text : encodeURIComponent(text);
    for (const filter of ['event_type', 'drift_type', 'idempotency_key']) {
      expect(await list(`/v1/drift-events?${filter}=${value}`)).toEqual([]);
    }
  },
);

/** The ids on each page of a walk; `between` runs after every page. */
async function walk(path: string, between: () => Promise<unknown> = async () => {}): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await customer.admin.get(path + (cursor === '' ? '' : `&cursor=${cursor}`));
    pages.push(idsOf(body.data));
    cursor = body.next_cursor;
    await between();
  }
  return pages;
}

function shifted(time: string, byMs: number): string {
  return new Date(Date.parse(time) + byMs).toISOString();
}
