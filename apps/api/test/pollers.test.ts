import { aDriftEvent, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { holdKey, lockWaiters } from './hold-lock.js';
import { type ApiStack, setup } from './setup.js';

const OVERLAP_MS = 30_000;

let stack: ApiStack;
beforeAll(async () => {
  stack = await setup();
});
afterAll(() => stack.close());

/** An event that is stored before one whose `created_at` is earlier: its statement waits for somebody else's key meanwhile. */
async function aLateEvent() {
  const { customerId } = await stack.customerWithEndpoint();
  const post = (key: string) =>
    stack.api.post('/v1/drift-events', aDriftEvent({ customer_id: customerId }), { 'idempotency-key': key });
  const release = await holdKey(stack.prisma, { customerId, key: 'late' });
  const late = post('late');
  await until(async () => (await lockWaiters(stack.prisma)) === 1);
  const { body: newest } = await post('at-once');
  const seen = async (path: string, from: number) => {
    const after = encodeURIComponent(new Date(from).toISOString());
    const { body } = await stack.api.get(`${path}?customer_id=${customerId}&created_after=${after}`);
    return body.data.map(({ event_id, id }: { event_id?: string; id: string }) => event_id ?? id);
  };
  return { newest, newestAt: Date.parse(newest.created_at), seen, store: () => release().then(() => late) };
}

test.each(['/v1/drift-events', '/v1/deliveries'])(
  'who polls %s from the newest he has seen misses what is stored late, and who goes back 30 s does not',
  async (path) => {
    const { newest, newestAt, seen, store } = await aLateEvent();
    expect(await seen(path, newestAt - OVERLAP_MS)).toEqual([newest.id]);
    const late = await store();
    expect(late.status).toBe(202);
    expect(Date.parse(late.body.created_at)).toBeLessThan(newestAt);
    expect(await seen(path, newestAt)).toEqual([]);
    expect(await seen(path, newestAt - OVERLAP_MS)).toEqual([newest.id, late.body.id]);
  },
);

test('no statement of the API begins after 20 s or runs for more than 8: both together are less than what is promised', async () => {
  const document = (await stack.api.get('/openapi.json')).body;
  for (const path of ['/v1/drift-events', '/v1/deliveries']) {
    const [parameter] = document.paths[path].get.parameters.filter(
      ({ name }: { name: string }) => name === 'created_after',
    );
    expect(JSON.stringify(parameter)).toContain('can be read 30 s after its created_at at the latest');
  }
  const [row] = await stack.prisma.$queryRaw<
    { timeout: string }[]
  >`SELECT current_setting('statement_timeout') AS timeout`;
  expect(row?.timeout).toBe('8s');
});
