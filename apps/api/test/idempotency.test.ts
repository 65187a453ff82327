import { aDriftEvent, apiClient, driftData, until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { holdKey, lockWaiters } from './hold-lock.js';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup({ apis: 2 });
});
beforeEach(async () => {
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
afterAll(() => stack.close());

const post = (key: string, body: unknown = aDriftEvent()) =>
  customer.producer.post('/v1/drift-events', body, { 'idempotency-key': key });
const storedEvents = () => stack.prisma.driftEvent.count({ where: { customerId: customer.id } });

test('the same key with the same body gives the same ids, says so, and creates nothing', async () => {
  const first = await post('key-1');
  const second = await post('key-1');
  expect(second.status).toBe(202);
  expect(second.body).toEqual(first.body);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(await storedEvents()).toBe(1);
  expect(await stack.prisma.delivery.count({ where: { customerId: customer.id } })).toBe(1);
});

test('a replay shows the deliveries as they are now', async () => {
  const { body } = await post('key-1');
  await stack.prisma.delivery.update({
    where: { id: body.deliveries[0].id },
    data: { status: 'success', completedAt: new Date(), recoverAt: null, nextAttemptAt: null },
  });
  expect((await post('key-1')).body).toEqual({ ...body, deliveries: [{ ...body.deliveries[0], status: 'success' }] });
});

test('the key is shown with its event and finds it', async () => {
  const { body } = await post('key-1');
  expect((await customer.viewer.get(`/v1/drift-events/${body.id}`)).body.idempotency_key).toBe('key-1');
});

test('the same key with another body is a conflict and stores nothing', async () => {
  await post('key-1');
  const other = await post('key-1', aDriftEvent({ event_type: 'drift.other' }));
  expect(other).toEqual(aProblem(409, 'idempotency_conflict'));
  expect(await storedEvents()).toBe(1);
});

test('the body is compared as text: other spaces are another body', async () => {
  await post('key-1', JSON.stringify(aDriftEvent()));
  expect(await post('key-1', JSON.stringify(aDriftEvent(), null, 1))).toEqual(aProblem(409, 'idempotency_conflict'));
});

test('50 at once from two API processes make one event; of those at one process only one asks Postgres', async () => {
  const clients = stack.apis.map(({ url }) => apiClient(url));
  const event = aDriftEvent({ customer_id: customer.id });
  const answers = await meetingAt('key-1', clients.length, () =>
    clients.flatMap((client) =>
      Array.from({ length: 25 }, () => client.post('/v1/drift-events', event, { 'idempotency-key': 'key-1' })),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
  expect(await storedEvents()).toBe(1);
  const told = () =>
    stack.apis
      .map((api) => api.output())
      .join('')
      .split(`"event_id":"${answers[0]?.body.id}"`).length - 1;
  await until(() => told() >= 50);
  expect(told()).toBe(50);
});

test('two customers with one key have two events', async () => {
  const first = await post('key-1');
  const other = await aCustomer(stack);
  const second = await other.producer.post('/v1/drift-events', aDriftEvent(), { 'idempotency-key': 'key-1' });
  expect(second.headers.get('idempotency-replayed')).toBeNull();
  expect(second.body.id).not.toBe(first.body.id);
  expect(second.body.customer_id).toBe(other.id);
  expect((await post('key-1')).body).toEqual(first.body);
});

test('an event that no endpoint wants is accepted with its key, and is no replay until it comes again', async () => {
  const lonely = await aCustomer(stack);
  const alone = () => lonely.producer.post('/v1/drift-events', aDriftEvent(), { 'idempotency-key': 'key-1' });
  const [first, second] = [await alone(), await alone()];
  expect(first).toMatchObject({ status: 202, body: { deliveries: [] } });
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  const batch = { events: [aDriftEvent({ idempotency_key: 'key-2' }), aDriftEvent({ idempotency_key: 'key-1' })] };
  const { body } = await lonely.producer.post('/v1/drift-events/batch', batch);
  expect(body.results).toMatchObject([
    { deliveries: [], replayed: false },
    { deliveries: [], replayed: true },
  ]);
});

test('without a key, the same body twice is two events', async () => {
  await customer.producer.post('/v1/drift-events', aDriftEvent());
  await customer.producer.post('/v1/drift-events', aDriftEvent());
  expect(await storedEvents()).toBe(2);
});

test.each([
  ['of 10 kB', 'k'.repeat(10_000)],
  ['of 256 characters', 'k'.repeat(256)],
  ['that is empty', ''],
  ['with a space', 'a b'],
  ['that is not ASCII', 'sch\u00f6n'],
])('a key %s is 400 and stores nothing', async (_, key) => {
  expect(await post(key)).toEqual(aProblem(400, 'invalid_request'));
  expect(await storedEvents()).toBe(0);
});

test('a key of 255 visible characters is fine', async () => {
  expect((await post('~'.repeat(255))).status).toBe(202);
});

test('the field in a single body is 400, and so is the header on a batch', async () => {
  const field = await customer.producer.post('/v1/drift-events', aDriftEvent({ idempotency_key: 'key-1' }));
  expect(field).toEqual(aProblem(400, 'invalid_request'));
  const batch = { events: [aDriftEvent()] };
  const header = await customer.producer.post('/v1/drift-events/batch', batch, { 'idempotency-key': 'key-1' });
  expect(header).toEqual(aProblem(400, 'invalid_request'));
  expect(await storedEvents()).toBe(0);
});

const postBatch = (events: unknown[]) => customer.producer.post('/v1/drift-events/batch', { events });

test('twins inside one batch make one event; the second says replayed', async () => {
  const twin = aDriftEvent({ idempotency_key: 'key-1' });
  const { body } = await postBatch([twin, aDriftEvent(), twin]);
  expect(body.results.map(({ replayed }: { replayed: boolean }) => replayed)).toEqual([false, false, true]);
  expect(body.results[2]).toEqual({ ...body.results[0], replayed: true });
  expect(await storedEvents()).toBe(2);
});

test('twins with different bodies inside one batch are a conflict with the pointer of the second', async () => {
  const answer = await postBatch([
    aDriftEvent({ idempotency_key: 'key-1' }),
    aDriftEvent({ idempotency_key: 'key-1', event_type: 'drift.other' }),
  ]);
  expect(answer).toEqual(aProblem(409, 'idempotency_conflict'));
  expect(answer.body.errors[0].pointer).toBe('/events/1');
  expect(await storedEvents()).toBe(0);
});

test('one conflicting item rejects the whole batch with its pointer and stores nothing', async () => {
  await post('key-1');
  const answer = await postBatch([
    aDriftEvent({ idempotency_key: 'key-0' }),
    aDriftEvent(),
    aDriftEvent({ idempotency_key: 'key-1', data: driftData({ severity: 0.1 }) }),
  ]);
  expect(answer).toEqual(aProblem(409, 'idempotency_conflict'));
  expect(answer.body.errors).toEqual([{ pointer: '/events/2', detail: expect.any(String) }]);
  expect(await storedEvents()).toBe(1);
  expect(await stack.prisma.idempotencyKey.count({ where: { customerId: customer.id } })).toBe(1);
});

test('the same batch again replays every item that has a key', async () => {
  const events = [aDriftEvent({ idempotency_key: 'key-1' }), aDriftEvent({ idempotency_key: 'key-2' })];
  const first = await postBatch(events);
  const second = await postBatch([...events, aDriftEvent({ idempotency_key: 'key-3' })]);
  const replayed = first.body.results.map((result: object) => ({ ...result, replayed: true }));
  expect(second.body.results.slice(0, 2)).toEqual(replayed);
  expect(second.body.results[2].replayed).toBe(false);
});

test.each(['a customer key', 'the platform key'])(
  'alone or in a batch, an event is the same event: %s',
  async (who) => {
    const client = who === 'the platform key' ? stack.api : customer.producer;
    const owner = client === stack.api ? { customer_id: customer.id } : {};
    const alone = await client.post('/v1/drift-events', { ...owner, ...aDriftEvent() }, { 'idempotency-key': 'key-1' });
    const batch = { ...owner, events: [aDriftEvent({ idempotency_key: 'key-1' })] };
    const { body } = await client.post('/v1/drift-events/batch', batch);
    expect(body.results).toEqual([{ ...alone.body, replayed: true }]);
  },
);

test('ten batches at once with the same keys in opposite orders: no deadlock, each key one event', async () => {
  const events = Array.from({ length: 20 }, (_, n) => aDriftEvent({ idempotency_key: `key-${n}` }));
  const batches = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? events : [...events].reverse()));
  const clients = stack.apis.map(({ url }) => apiClient(url));
  const answers = await meetingAt('key-10', clients.length * STATEMENTS_AT_ONCE, () =>
    batches.map((batch, n) => {
      const client = clients[n % clients.length] ?? stack.api;
      return client.post('/v1/drift-events/batch', { customer_id: customer.id, events: batch });
    }),
  );
  expect(answers.map(({ status }) => status)).toEqual(batches.map(() => 202));
  expect(await storedEvents()).toBe(20);
});

/** Of one API process. */
const STATEMENTS_AT_ONCE = 2;

/**
 * Makes the calls meet: another session has the key, so that every statement that wants it has already looked for it in
 * vain and waits. When that session gives up, all of them want it in the same moment.
 */
async function meetingAt<T>(key: string, waiters: number, calls: () => Promise<T>[]): Promise<T[]> {
  const release = await holdKey(stack.prisma, { customerId: customer.id, key });
  const answers = Promise.all(calls());
  await until(async () => (await lockWaiters(stack.prisma)) === waiters).finally(release);
  return answers;
}
