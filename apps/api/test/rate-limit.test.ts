import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, setup } from './setup.js';

/** Room for the requests of the admin key that make a customer and its keys. */
const LIMIT = 20;
let stack: ApiStack;
beforeAll(async () => {
  stack = await setup({ env: { RATE_LIMIT_PER_KEY: `${LIMIT}` } });
});
afterAll(async () => {
  await stack.close();
});

test('a key that asks too often is told to wait, and other keys are not', async () => {
  const { viewer, producer } = await aCustomer(stack);
  const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => viewer.get('/v1/endpoints')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(2 * LIMIT);
  expect(refused[0]).toEqual(aProblem(429, 'rate_limited'));
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect(answers[0]?.headers.get('ratelimit-limit')).toBe(`${LIMIT}`);
  expect((await producer.get('/v1/endpoints')).status).toBe(200);
});

test('requests without a key use up nobody’s share', async () => {
  const { viewer } = await aCustomer(stack);
  await Promise.all(Array.from({ length: 4 * LIMIT }, () => stack.api.as(null).get('/v1/endpoints')));
  expect((await viewer.get('/v1/endpoints')).status).toBe(200);
});
