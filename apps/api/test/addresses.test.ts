import { apiClient, startApi } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup({ env: { ALLOW_PRIVATE_ENDPOINTS: 'false' } });
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const PUBLIC = 'https://hooks.example.com/in';

test.each([
  'http://hooks.example.com/',
  'https://user:password@hooks.example.com/',
  'file:///etc/passwd',
  'ftp://hooks.example.com/',
  'gopher://hooks.example.com/',
  'https://hooks.example.com:8080/',
  `https://hooks.example.com/${'x'.repeat(3000)}`,
  'https://a\\@b/',
  'https://receiver/',
  'https://printer.local/',
  'https://db.internal/',
  'https://x.localhost/',
  'https://nas.home.arpa/',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://10.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://127.0.0.1./',
])('%s is 400 at create and at change', async (url) => {
  const created = await customer.admin.post('/v1/endpoints', { name: url.slice(0, 100), url });
  expect(created).toEqual(aProblem(400, 'invalid_request'));
  expect(created.body.errors[0].pointer).toBe('/url');
  const changed = await customer.admin.patch(`/v1/endpoints/${await anEndpoint()}`, { url });
  expect(changed).toEqual(aProblem(400, 'invalid_request'));
});

test.each([PUBLIC, 'https://hooks.example.com:8443/x?y=z', 'https://1.1.1.1/'])('%s is accepted', async (url) => {
  expect((await customer.admin.post('/v1/endpoints', { name: url, url })).status).toBe(201);
});

test('a name is resolved once at create and at change: one that leads inwards is 400, one that leads nowhere is accepted', async () => {
  // With a block opened, names of private networks are judged by what they resolve to.
  const env = { ALLOW_PRIVATE_ENDPOINTS: 'false', ENDPOINT_OPEN_BLOCKS: '10.20.0.0/16' };
  const { url: apiUrl, stop } = await startApi({ databaseUrl: stack.database.url, redisUrl: stack.redis.url, env });
  const admin = apiClient(apiUrl).as(customer.adminKey);
  const inwards = await admin.post('/v1/endpoints', { name: 'inwards', url: 'https://localhost/' });
  expect(inwards).toEqual(aProblem(400, 'invalid_request'));
  expect(inwards.body.errors).toEqual([
    { pointer: '/url', detail: 'is not acceptable: The URL names a host whose address is not a public one' },
  ]);
  expect(await admin.patch(`/v1/endpoints/${await anEndpoint()}`, { url: 'https://localhost/' })).toEqual(
    aProblem(400, 'invalid_request'),
  );
  for (const url of ['https://nobody.invalid/', 'https://10.20.1.1/']) {
    expect((await admin.post('/v1/endpoints', { name: url, url })).status).toBe(201);
  }
  await stop();
});

test('an address that became private since is not connected to: the test says blocked', async () => {
  const id = await anEndpoint();
  await stack.prisma.endpoint.update({ where: { id }, data: { url: stack.receiver.url } });
  const { status, body } = await customer.admin.post(`/v1/endpoints/${id}/test`);
  expect(status).toBe(200);
  expect(body.outcome).toMatchObject({ kind: 'blocked', response_code: null });
  expect(stack.receiver.requests).toEqual([]);
});

let found: Promise<string> | undefined;
/** One endpoint for all, made when first asked for. */
function anEndpoint(): Promise<string> {
  found ??= customer.admin.post('/v1/endpoints', { name: 'public', url: PUBLIC }).then(({ body }) => body.id);
  return found;
}
