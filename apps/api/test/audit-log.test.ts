import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup({ workers: 1 });
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const HEADER = 'Bearer of-the-receiver';
const aNewEndpoint = async (name: string) => {
  const endpoint = { name, url: stack.receiver.url, headers: { Authorization: HEADER }, secret: SECRET };
  return (await customer.admin.post('/v1/endpoints', endpoint)).body;
};
const linesOf = async (subjectId: string) =>
  (await customer.admin.get(`/v1/audit-log?subject_id=${subjectId}`)).body.data.reverse();

test('every change of an endpoint is on record: who, what, to which, when', async () => {
  const { id, created_at } = await aNewEndpoint('audited');
  const answer = await customer.admin.patch(`/v1/endpoints/${id}`, { active: false, headers: { 'X-Key': HEADER } });
  await stack.api.post(`/v1/endpoints/${id}/rotate-secret`, { overlap_seconds: 60 });
  await customer.admin.delete(`/v1/endpoints/${id}`);

  const lines = await linesOf(id);
  const common = { customer_id: customer.id, subject_type: 'endpoint', subject_id: id };
  expect(lines).toMatchObject([
    { ...common, action: 'endpoint.created', detail: { name: 'audited' } },
    { ...common, action: 'endpoint.changed', detail: { fields: ['active', 'headers'] } },
    { ...common, action: 'endpoint.secret_rotated', detail: { overlap_seconds: 60 } },
    { ...common, action: 'endpoint.deleted', detail: null },
  ]);
  const [created, changed, rotated] = lines;
  expect(changed).toMatchObject({ actor: 'api_key', request_id: answer.headers.get('x-request-id') });
  expect(rotated).toMatchObject({ actor: 'environment_key', api_key_id: null });
  expect(Math.abs(Date.parse(created.created_at) - Date.parse(created_at))).toBeLessThan(1_000);
  expect(JSON.stringify(lines)).not.toContain(HEADER);
  expect(JSON.stringify(lines)).not.toContain(SECRET);
});

test('customers and keys are on record, and what a key has done names it', async () => {
  const made = await customer.admin.post('/v1/api-keys', { role: 'admin', name: 'second' });
  await stack.api.as(made.body.key).delete(`/v1/api-keys/${made.body.id}`);
  expect(await linesOf(made.body.id)).toMatchObject([
    { action: 'api_key.created', actor: 'api_key', detail: { name: 'second', role: 'admin' } },
    { action: 'api_key.revoked', actor: 'api_key', api_key_id: made.body.id },
  ]);
  expect(await linesOf(customer.id)).toMatchObject([{ action: 'customer.created', detail: { name: 'Acme' } }]);
});

test('a platform key is on record, for the platform alone', async () => {
  const { body: made } = await stack.api.post('/v1/api-keys', { role: 'admin', name: 'platform' });
  await stack.api.delete(`/v1/api-keys/${made.id}`);
  const { body } = await stack.api.get(`/v1/audit-log?subject_id=${made.id}`);
  expect(body.data).toMatchObject([
    { action: 'api_key.revoked', customer_id: null },
    { action: 'api_key.created', customer_id: null },
  ]);
  expect(await linesOf(made.id)).toEqual([]);
});

test('a manual retry is on record', async () => {
  await aNewEndpoint('for a retry');
  const event = await stack.postEvent(customer.id);
  const { id } = await stack.deliveryIn('success', event.deliveries[0].id);
  await customer.producer.post(`/v1/deliveries/${id}/retry`);
  expect(await linesOf(id)).toMatchObject([{ action: 'delivery.retried', actor: 'api_key', subject_type: 'delivery' }]);
});

test('what was refused has changed nothing, and is not on record', async () => {
  const { id } = await aNewEndpoint('first');
  const { id: other } = await aNewEndpoint('second');
  expect(await customer.admin.patch(`/v1/endpoints/${other}`, { name: 'first' })).toEqual(aProblem(409, 'name_taken'));
  expect((await customer.viewer.delete(`/v1/endpoints/${id}`)).status).toBe(403);
  expect((await customer.admin.patch(`/v1/endpoints/${id}`, { url: 'nonsense' })).status).toBe(400);
  expect(await linesOf(id)).toHaveLength(1);
  expect(await linesOf(other)).toHaveLength(1);
});

test('of two changes at the same moment there is a line for the one that happened', async () => {
  const { id } = await aNewEndpoint('raced');
  const answers = await Promise.all(
    [1, 2, 3, 4].map((n) => customer.admin.patch(`/v1/endpoints/${id}`, { name: `raced ${n}` })),
  );
  const changed = answers.filter(({ status }) => status === 200);
  expect((await linesOf(id)).filter(({ action }: { action: string }) => action === 'endpoint.changed')).toHaveLength(
    changed.length,
  );
});
