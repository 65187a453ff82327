import { ADMIN_API_KEY, aDriftEvent, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup, UUID_V7 } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const create = async (body: object) =>
  (await customer.admin.post('/v1/api-keys', { name: 'k', role: 'viewer', ...body })).body;

test('a key is shown once, in the answer that made it', async () => {
  const { key, ...shown } = await create({ name: 'dashboard' });
  expect(shown).toEqual({
    id: expect.stringMatching(UUID_V7),
    customer_id: customer.id,
    role: 'viewer',
    name: 'dashboard',
    created_at: expect.any(String),
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
  });
  expect((await stack.api.as(key).get('/v1/deliveries')).status).toBe(200);
  const list = await customer.admin.get('/v1/api-keys');
  expect({ ...list.body.data[0], last_used_at: null }).toEqual(shown);
  expect(list.text).not.toContain(key.slice(-43));
});

test('the database keeps a hash of it only', async () => {
  const { key, id } = await create({});
  const dump = JSON.stringify(await stack.prisma.$queryRaw`SELECT to_jsonb(k) AS row FROM api_keys k`);
  expect(dump).toContain(id);
  const secret = key.slice(-43);
  for (const spelling of [secret, ADMIN_API_KEY, Buffer.from(secret).toString('hex')])
    expect(dump).not.toContain(spelling);
});

test('the log holds no key, no secret and no payload', async () => {
  const { key } = await create({ role: 'admin' });
  const client = stack.api.as(key);
  const { body } = await client.post('/v1/endpoints', { name: 'one', url: stack.receiver.url });
  const accepted = await client.post('/v1/drift-events', aDriftEvent());
  await client.post('/v1/drift-events', '{"hush":');
  await stack.api.as(`${key}x`).get('/v1/deliveries');
  const log = stack.apis[0]?.output() ?? '';
  expect(log).toContain(accepted.body.id);
  for (const hush of [key.slice(-43), ADMIN_API_KEY, body.secret, 'DENIAL_RATE', 'hush'])
    expect(log).not.toContain(hush);
});

test('no, malformed, unknown, wrong, revoked and expired keys all get the same 401', async () => {
  const revoked = await create({});
  await customer.admin.delete(`/v1/api-keys/${revoked.id}`);
  const expired = await create({ expires_at: new Date(Date.now() + 300).toISOString() });
  const good = await create({});
  const keys = {
    none: null,
    malformed: 'nonsense',
    unknown: good.key.replace(/^dw_.{8}/, 'dw_00000000'),
    wrong: `${good.key.slice(0, -4)}AAAA`,
    'the id alone': good.key.slice(0, -43),
    revoked: revoked.key,
    expired: expired.key,
    'almost the platform key': `${ADMIN_API_KEY.slice(0, -1)}x`,
  };
  await until(async () => (await stack.api.as(expired.key).get('/v1/deliveries')).status === 401);
  const answers = await Promise.all(Object.values(keys).map((key) => stack.api.as(key).get('/v1/deliveries')));
  for (const answer of answers) {
    expect(answer).toEqual(aProblem(401, 'unauthorized'));
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="driftwire"');
  }
  expect(new Set(answers.map(({ body }) => JSON.stringify({ ...body, request_id: '' }))).size).toBe(1);
});

test.each(['Basic', 'bearer', 'BEARER ', 'Token', ''])('scheme %p: only Bearer counts, in any case', async (scheme) => {
  const headers = { authorization: `${scheme} ${ADMIN_API_KEY}`.trim() };
  const response = await fetch(`${stack.apis[0]?.url}/v1/customers`, { headers });
  expect(response.status).toBe(/^bearer/i.test(scheme) ? 200 : 401);
});

test('an expiry that lies ahead does not stop a key', async () => {
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const { key, ...shown } = await create({ expires_at });
  expect(shown.expires_at).toBe(expires_at);
  expect((await stack.api.as(key).get('/v1/deliveries')).status).toBe(200);
});

test('a key that was just in use is refused within a second of its revocation', async () => {
  const { id, key } = await create({});
  const client = stack.api.as(key);
  expect((await client.get('/v1/endpoints')).status).toBe(200);
  await customer.admin.delete(`/v1/api-keys/${id}`);
  const revokedAt = performance.now();
  await until(async () => (await client.get('/v1/endpoints')).status === 401);
  expect(performance.now() - revokedAt).toBeLessThan(1_500);
});

const CLOCK_TOLERANCE_MS = 250;

test('a key says when it was last used, to within some seconds', async () => {
  const unused = await create({});
  const { id, key } = await create({});
  const before = Date.now();
  await stack.api.as(key).get('/v1/deliveries');
  const after = Date.now();
  const listed = () => customer.admin.get('/v1/api-keys').then(({ body }) => body.data);
  const find = (keys: { id: string }[], wanted: string) => keys.find((each) => each.id === wanted);
  const used = await until(
    async () => {
      const found = find(await listed(), id) as { last_used_at: string | null } | undefined;
      return found?.last_used_at;
    },
    { deadlineMs: 10_000 },
  );
  // By Postgres's clock, as the API has it from its last look.
  expect(Date.parse(used)).toBeGreaterThan(before - CLOCK_TOLERANCE_MS);
  expect(Date.parse(used)).toBeLessThan(after + CLOCK_TOLERANCE_MS);
  expect(find(await listed(), unused.id)).toMatchObject({ last_used_at: null });
}, 15_000);

test('DELETE revokes: 204, then 404; the list says when', async () => {
  const { id } = await create({});
  const path = `/v1/api-keys/${id}`;
  expect(await customer.admin.delete(path)).toMatchObject({ status: 204, text: '' });
  expect(await customer.admin.delete(path)).toEqual(aProblem(404, 'not_found'));
  const { body } = await customer.admin.get('/v1/api-keys');
  expect(body.data.find((key: { id: string }) => key.id === id).revoked_at).toEqual(expect.any(String));
});

test('a platform key without customer_id makes a platform key', async () => {
  const { status, body } = await stack.api.post('/v1/api-keys', { name: 'ops', role: 'admin' });
  expect(status).toBe(201);
  expect(body.customer_id).toBeNull();
  expect((await stack.api.as(body.key).get('/v1/customers')).status).toBe(200);
});

test.each(['producer', 'viewer'])('a platform key is always an admin, never a %s', async (role) => {
  const answer = await stack.api.post('/v1/api-keys', { name: 'ops', role });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors[0].pointer).toBe('/role');
});

test("a customer's admin always makes a key of that customer", async () => {
  const { key, customer_id } = await create({ role: 'admin' });
  expect(customer_id).toBe(customer.id);
  expect(await stack.api.as(key).get('/v1/customers')).toEqual(aProblem(403, 'forbidden'));
});

test.each([
  ['/role', { role: 'owner' }],
  ['/role', { role: undefined }],
  ['/name', { name: '' }],
  ['/name', { name: 'a\u0007b' }],
  ['/expires_at', { expires_at: '2020-01-01T00:00:00Z' }],
  ['/expires_at', { expires_at: 'tomorrow' }],
  ['/expires_at', { expires_at: '9999-12-31T23:59:59-12:00' }],
  ['/key', { key: 'mine' }],
])('%s: %p is 400', async (pointer, body) => {
  const answer = await customer.admin.post('/v1/api-keys', { name: 'k', role: 'viewer', ...body });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors[0].pointer).toBe(pointer);
});
