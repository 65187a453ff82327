import { type ApiAnswer, aDriftEvent, until } from '@driftwire/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { holdTable, lockWaiters, type Release } from './hold-lock.js';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let unlock: Release;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
beforeEach(async () => {
  unlock = await holdTable(stack.prisma, 'drift_events');
});
afterEach(() => unlock());
afterAll(() => stack.close());

/** The API's connections. */
const POOL_SIZE = 20;
const REQUESTS = 2 * POOL_SIZE;
/** A POST may come to the batch after the one that waits: `lock_timeout` is 4 s. The rest is for a busy machine. */
const BOUND_MS = 11_000;

const post = (client = stack.api) => client.post('/v1/drift-events', aDriftEvent({ customer_id: customer.id }));
const readyz = () => stack.api.get('/readyz');

test('a long lock under more requests than connections: each is 503 in bounded time, nothing is stored or enqueued, and the same process goes on after it', async () => {
  const read = () => stack.api.get('/v1/drift-events');
  const answers = Array.from({ length: REQUESTS }, (_, n) => timed(n % 4 === 0 ? post() : read()));
  await until(async () => (await lockWaiters(stack.prisma)) === POOL_SIZE);
  // Its key cannot be looked up, which makes it no stranger: 503 as well, not 401.
  answers.push(timed(post(customer.producer)));

  const [ready, alive] = await Promise.all([timed(readyz()), timed(stack.api.get('/healthz'))]);
  expect(ready.answer).toMatchObject({ status: 503, body: { postgres: 'down' } });
  expect(ready.elapsedMs).toBeLessThan(3_000);
  expect(alive.answer.status).toBe(200);
  expect(alive.elapsedMs).toBeLessThan(500);

  for (const { answer, elapsedMs } of await Promise.all(answers)) {
    expect(answer).toEqual(aProblem(503, 'database_unavailable'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(elapsedMs).toBeLessThan(BOUND_MS);
  }

  await unlock();
  expect(await stack.prisma.driftEvent.count()).toBe(0);
  expect(await stack.redis.redis.keys('driftwire:deliveries:*-1')).toEqual([]);
  expect((await post()).status).toBe(202);
  expect((await readyz()).status).toBe(200);
}, 30_000);

async function timed(call: Promise<ApiAnswer>): Promise<{ answer: ApiAnswer; elapsedMs: number }> {
  const startedAt = performance.now();
  const answer = await call;
  return { answer, elapsedMs: performance.now() - startedAt };
}
