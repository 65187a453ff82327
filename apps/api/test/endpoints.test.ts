import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup, UUID_V7 } from './setup.js';

const LIMIT = 5;
let stack: ApiStack;
let customer: Customer;
let url: string;
beforeAll(async () => {
  stack = await setup({ env: { MAX_ENDPOINTS_PER_CUSTOMER: `${LIMIT}` } });
  url = stack.receiver.url;
});
beforeEach(async () => {
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const create = (body: object = {}) => customer.admin.post('/v1/endpoints', { name: 'one', url, ...body });
const aNewEndpoint = async (body: object = {}) => (await create(body)).body;
const patch = (id: string, body: unknown) => customer.admin.patch(`/v1/endpoints/${id}`, body);

test('create answers 201 with the defaults and a secret that is never shown again', async () => {
  const { status, body } = await create();
  expect(status).toBe(201);
  const { secret, ...endpoint } = body;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(endpoint).toEqual({
    id: expect.stringMatching(UUID_V7),
    customer_id: customer.id,
    name: 'one',
    url,
    event_types: ['*'],
    min_severity: null,
    active: true,
    inactive_reason: null,
    on_hold: false,
    max_in_flight: null,
    max_per_second: null,
    circuit: { state: 'closed', since: null, failures: 0, next_probe_at: null },
    version: 1,
    headers: {},
    previous_secret_expires_at: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  const [read, list] = await Promise.all([
    customer.viewer.get(`/v1/endpoints/${endpoint.id}`),
    customer.viewer.get('/v1/endpoints'),
  ]);
  expect(read.body).toEqual(endpoint);
  expect(list.body.data).toEqual([endpoint]);
});

test('everything that can be given is kept as posted', async () => {
  const given = { event_types: ['drift.*', 'model.retrained'], min_severity: 0.25, active: false };
  expect(await aNewEndpoint(given)).toMatchObject({ ...given, inactive_reason: 'paused' });
});

test('a supplied secret is used; one that is none is 400', async () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  expect((await aNewEndpoint({ secret })).secret).toBe(secret);
  const bad = ['whsec_', 'secret', 'whsec_AAAA', `whsec_${Buffer.alloc(65).toString('base64')}`, `${secret}=`, null];
  for (const [n, wrong] of bad.entries()) {
    expect(await create({ name: `bad ${n}`, secret: wrong })).toEqual(aProblem(400, 'invalid_request'));
  }
});

test('header names are shown, their values never', async () => {
  const endpoint = await aNewEndpoint({ headers: { Authorization: 'Bearer hush', 'X-Team': 'hush too' } });
  expect(endpoint.headers).toEqual({ Authorization: '[redacted]', 'X-Team': '[redacted]' });
  const changed = await patch(endpoint.id, { headers: { 'X-New': 'hush again' } });
  expect(changed.body.headers).toEqual({ 'X-New': '[redacted]' });
});

test('the database holds no secret and no header value that can be read', async () => {
  const { id, secret } = await aNewEndpoint({ headers: { Authorization: 'Bearer hush' } });
  const rotated = await customer.admin.post(`/v1/endpoints/${id}/rotate-secret`);
  const rows = await stack.prisma.$queryRaw<{ row: object }[]>`SELECT to_jsonb(e) AS row FROM endpoints e`;
  const dump = JSON.stringify(rows);
  expect(dump).toContain(id);
  for (const text of [secret, rotated.body.secret, 'hush']) {
    expect(dump).not.toContain(text);
    expect(dump).not.toContain(Buffer.from(text).toString('base64').slice(0, -2));
    expect(dump).not.toContain(text.replace('whsec_', ''));
  }
});

test('a name is unique per customer, and free again after a delete', async () => {
  const { id } = await aNewEndpoint();
  expect(await create()).toEqual(aProblem(409, 'name_taken'));
  const other = await aCustomer(stack);
  expect((await other.admin.post('/v1/endpoints', { name: 'one', url })).status).toBe(201);
  await customer.admin.delete(`/v1/endpoints/${id}`);
  expect((await create()).status).toBe(201);
  const { id: second } = await aNewEndpoint({ name: 'two' });
  expect(await patch(second, { name: 'one' })).toEqual(aProblem(409, 'name_taken'));
});

test('a customer has at most as many endpoints as the operator allows, however many are created at once', async () => {
  const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, (_, n) => create({ name: `${n}` })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(LIMIT);
  const refused = answers.filter(({ status }) => status !== 201);
  for (const answer of refused) expect(answer).toEqual(aProblem(409, 'endpoint_limit_reached'));
  const [endpoint] = (await customer.viewer.get('/v1/endpoints')).body.data;
  await customer.admin.delete(`/v1/endpoints/${endpoint.id}`);
  expect((await create({ name: 'room again' })).status).toBe(201);
});

test('PATCH changes what it names, leaves the rest, and raises the version', async () => {
  const before = await aNewEndpoint({ min_severity: 0.5 });
  const { status, body } = await patch(before.id, { url: `${url}/new`, min_severity: null });
  expect(status).toBe(200);
  const { secret: _, ...unchanged } = before;
  const expected = { ...unchanged, url: `${url}/new`, min_severity: null, version: 2, updated_at: body.updated_at };
  expect(body).toEqual(expected);
  expect((await customer.viewer.get(`/v1/endpoints/${before.id}`)).body).toEqual(expected);
});

test('active: false says paused, active: true clears the reason', async () => {
  const { id } = await aNewEndpoint();
  expect((await patch(id, { active: false })).body).toMatchObject({ active: false, inactive_reason: 'paused' });
  expect((await patch(id, { active: true })).body).toMatchObject({ active: true, inactive_reason: null, version: 3 });
});

test('an endpoint that is gone stays gone until it is set active', async () => {
  const { id } = await aNewEndpoint();
  await stack.prisma.endpoint.update({ where: { id }, data: { active: false, inactiveReason: 'gone' } });
  expect((await patch(id, { active: false, name: 'x' })).body.inactive_reason).toBe('gone');
  expect((await patch(id, { active: true })).body).toMatchObject({ active: true, inactive_reason: null });
});

test('of many changes at the same moment, each that is answered with 200 raised the version by one', async () => {
  const { id } = await aNewEndpoint();
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(id, { min_severity: n / 10 })));
  const done = answers.filter(({ status }) => status === 200);
  for (const answer of answers) if (answer.status !== 200) expect(answer).toEqual(aProblem(409, 'endpoint_changed'));
  expect((await customer.viewer.get(`/v1/endpoints/${id}`)).body.version).toBe(1 + done.length);
});

const unacceptable: [string, object][] = [
  ['/name', { name: '' }],
  ['/name', { name: 'x'.repeat(201) }],
  ['/url', { url: 'ftp://example.com' }],
  ['/url', { url: 7 }],
  ['/event_types', { event_types: [] }],
  ['/event_types/0', { event_types: ['drift*'] }],
  ['/event_types/1', { event_types: ['*', 'a,b'] }],
  ['/min_severity', { min_severity: 1.1 }],
  ['/active', { active: 'true' }],
  ['/active', { active: null }],
  ['/version', { version: 7 }],
  ['/circuit', { circuit: { state: 'closed' } }],
  ['/headers', { headers: [] }],
  ['/headers', { headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, 'v'])) }],
  ['/headers/X-Number', { headers: { 'X-Number': 7 } }],
  ['/headers/a b', { headers: { 'a b': 'v' } }],
  ['/headers/x:', { headers: { 'x:': 'v' } }],
  ['/headers/X', { headers: { X: 'a\r\nInjected: b' } }],
  ['/headers/X', { headers: { X: 'a\nb' } }],
  ['/headers/X', { headers: { X: '€' } }],
  ['/headers/x-a', { headers: { 'X-A': '1', 'x-a': '2' } }],
  ['/headers/Host', { headers: { Host: 'evil' } }],
  ['/headers/content-length', { headers: { 'content-length': '1' } }],
  ['/headers/Transfer-Encoding', { headers: { 'Transfer-Encoding': 'chunked' } }],
  ['/headers/Connection', { headers: { Connection: 'close' } }],
  ['/headers/webhook-id', { headers: { 'webhook-id': '1' } }],
  ['/headers/Webhook-Anything', { headers: { 'Webhook-Anything': '1' } }],
  ['/headers/X-SIGNATURE', { headers: { 'X-SIGNATURE': '1' } }],
  ['/headers/__proto__', { headers: JSON.parse('{"__proto__":"x"}') }],
];
test.each(unacceptable)('%s: %j is 400 at create and at change', async (pointer, body) => {
  const { id } = await aNewEndpoint();
  for (const answer of [await create({ name: 'two', ...body }), await patch(id, body)]) {
    expect(answer).toEqual(aProblem(400, 'invalid_request'));
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
});

test('DELETE is 204, then the endpoint is 404 everywhere and its secrets are wiped', async () => {
  const { id } = await aNewEndpoint({ headers: { 'X-Team': 'v' } });
  await customer.admin.post(`/v1/endpoints/${id}/rotate-secret`);
  const path = `/v1/endpoints/${id}`;
  expect(await customer.admin.delete(path)).toMatchObject({ status: 204, text: '' });
  const after = [
    customer.admin.delete(path),
    customer.admin.get(path),
    customer.admin.patch(path, { name: 'x' }),
    customer.admin.post(`${path}/rotate-secret`),
    customer.admin.post(`${path}/test`),
    customer.admin.post(`${path}/close-circuit`),
  ];
  for (const answer of await Promise.all(after)) expect(answer).toEqual(aProblem(404, 'not_found'));
  expect((await customer.admin.get('/v1/endpoints')).body.data).toEqual([]);
  const sealed = { secretSealed: null, previousSecretSealed: null, headersSealed: null };
  expect(await stack.prisma.endpoint.findUnique({ where: { id } })).toMatchObject(sealed);
});
