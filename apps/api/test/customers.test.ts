import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aProblem, setup, UUID_V7 } from './setup.js';

let stack: ApiStack;
beforeAll(async () => {
  stack = await setup();
});
afterAll(() => stack.close());

test('a customer is created, read and listed', async () => {
  const { status, body } = await stack.api.post('/v1/customers', { name: 'Müller & Söhne 🏥' });
  expect(status).toBe(201);
  const created_at = expect.any(String);
  expect(body).toEqual({ id: expect.stringMatching(UUID_V7), name: 'Müller & Söhne 🏥', created_at });
  expect((await stack.api.get(`/v1/customers/${body.id}`)).body).toEqual(body);
  expect((await stack.api.get('/v1/customers?limit=1')).body.data).toEqual([body]);
});

test.each([
  ['/name', {}],
  ['/name', { name: '' }],
  ['/name', { name: 7 }],
  ['/name', { name: 'a\nb' }],
  ['/name', { name: 'x'.repeat(201) }],
  ['/id', { name: 'x', id: 'mine' }],
  ['/__proto__', '{"name":"x","__proto__":{}}'],
  ['', []],
])('%s: %j is 400', async (pointer, body) => {
  const answer = await stack.api.post('/v1/customers', body);
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('SQL in a name is a name', async () => {
  const name = "Robert'); DROP TABLE customers; --";
  expect((await stack.api.post('/v1/customers', { name })).body.name).toBe(name);
});
