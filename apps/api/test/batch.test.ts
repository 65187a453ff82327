import { aDriftEvent, driftData } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'drift', url: stack.receiver.url, event_types: ['drift.*'] });
});
afterAll(() => stack.close());

const postBatch = (body: unknown) => customer.producer.post('/v1/drift-events/batch', body);
const storedEvents = () => stack.prisma.driftEvent.count();

test('the results are in the order sent, each with its own ids and deliveries', async () => {
  const types = ['drift.c', 'other.b', 'drift.a'];
  const { status, body } = await postBatch({ events: types.map((event_type) => aDriftEvent({ event_type })) });
  expect(status).toBe(202);
  expect(Object.keys(body)).toEqual(['results']);
  expect(body.results.map((result: { event_type: string }) => result.event_type)).toEqual(types);
  expect(body.results.map((result: { deliveries: unknown[] }) => result.deliveries.length)).toEqual([1, 0, 1]);
  expect(new Set(body.results.map((result: { request_id: string }) => result.request_id)).size).toBe(3);
  expect(Object.keys(body.results[0]).sort()).toEqual(
    ['created_at', 'customer_id', 'deliveries', 'event_type', 'id', 'replayed', 'request_id'].sort(),
  );
});

test('data is cut out of a batch byte for byte as well', async () => {
  const data = `{ "n":1.10, ${JSON.stringify(driftData({ delta_value: 1 })).slice(1)}`;
  const { body } = await postBatch(`{"events":[${JSON.stringify(aDriftEvent())}, {"data": ${data} }]}`);
  const { text } = await customer.viewer.get(`/v1/drift-events/${body.results[1].id}`);
  expect(text).toContain(`"data":${data}}`);
});

test('a platform key names the customer at the top level, and nowhere else', async () => {
  const answer = await stack.api.post('/v1/drift-events/batch', { customer_id: customer.id, events: [aDriftEvent()] });
  expect(answer.body.results[0].customer_id).toBe(customer.id);
  const inItem = { customer_id: customer.id, events: [aDriftEvent({ customer_id: customer.id })] };
  const refused = await stack.api.post('/v1/drift-events/batch', inItem);
  expect(refused).toEqual(aProblem(400, 'invalid_request'));
  expect(refused.body.errors[0].pointer).toBe('/events/0/customer_id');
});

const bad: [string, unknown[], string][] = [
  ['a bad item', [aDriftEvent(), aDriftEvent({ data: driftData({ severity: 2 }) })], '/events/1/data/severity'],
  ['an unknown field', [aDriftEvent({ 'a/b~c': 1 })], '/events/0/a~1b~0c'],
  ['a bad key', [aDriftEvent(), aDriftEvent(), aDriftEvent({ idempotency_key: 'a b' })], '/events/2/idempotency_key'],
  ['a key of 10 kB', [aDriftEvent({ idempotency_key: 'k'.repeat(10_000) })], '/events/0/idempotency_key'],
  ['a key with CR LF', [aDriftEvent(), aDriftEvent({ idempotency_key: 'a\r\nb' })], '/events/1/idempotency_key'],
  ['an item that is none', [aDriftEvent(), null], '/events/1'],
  ['an empty batch', [], '/events'],
  ['1,001 items', Array.from({ length: 1001 }, () => aDriftEvent()), '/events'],
];
test.each(bad)('%s rejects the whole batch with its pointer, and nothing is stored', async (_, events, pointer) => {
  const before = await storedEvents();
  const answer = await postBatch({ events });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors).toContainEqual({ pointer, detail: expect.any(String) });
  expect(await storedEvents()).toBe(before);
});

test('of countless violations a hundred are told, and how many more were found', async () => {
  const nonsense = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`k${n}`, n]));
  const { status, body, text } = await postBatch({
    events: Array.from({ length: 1_000 }, () => aDriftEvent(nonsense)),
  });
  expect(status).toBe(400);
  expect(body.errors).toHaveLength(100);
  expect(body.detail).toBe('/events/0/k0 is not a known field (and 149 more).');
  expect(text.length).toBeLessThan(10_000);
});

test('a batch that is none is 400 whatever its size, with its pointer where it has one', async () => {
  const long = 'x'.repeat(100_000);
  const answers = await Promise.all(
    [{ events: {} }, { events: 'x' }, {}, [aDriftEvent()], { customer_id: 1, events: [aDriftEvent()] }].map(postBatch),
  );
  expect(answers).toEqual(answers.map(() => aProblem(400, 'invalid_request')));
  const beside = await postBatch({ events: [aDriftEvent()], long });
  expect(beside).toEqual(aProblem(400, 'invalid_json'));
  expect(beside.body.detail).toBe('More than 64 KiB stand beside the events.');
});

test('404 comes before 400 for what is in the events, and what is no JSON is told with its item', async () => {
  const stranger = { customer_id: UNKNOWN_ID, events: [{ nonsense: 1 }] };
  expect(await postBatch(stranger)).toEqual(aProblem(404, 'not_found'));
  const broken = await postBatch(`{"events":[${JSON.stringify(aDriftEvent())},{"data":tru}]}`);
  expect(broken).toEqual(aProblem(400, 'invalid_json'));
  expect(broken.body.errors[0].pointer).toBe('/events/1');
});

test('duplicate keys, numbers that are not finite and texts that are none are 400 with the pointer of the item', async () => {
  const event = JSON.stringify(aDriftEvent());
  const before = await storedEvents();
  for (const [item, pointer] of [
    ['{"data":{"drift_type":"a","drift_type":"b"}}', '/events/1/data/drift_type'],
    ['{"data":{"x":"\\u0000"}}', '/events/1/data/x'],
    ['{"data":{"x":"\\udc00"}}', '/events/1/data/x'],
    ['{"idempotency_key":"a","idempotency_key":"b"}', '/events/1/idempotency_key'],
    ['{"data":{"x":1e400}}', '/events/1/data/x'],
  ]) {
    const answer = await postBatch(`{"events":[${event},${item}]}`);
    expect(answer).toEqual(aProblem(400, 'invalid_json'));
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
  expect(await storedEvents()).toBe(before);
});

test('an item over 256 KiB is 413 with its pointer; one of 256 KiB is accepted', async () => {
  const before = await storedEvents();
  const tooLarge = await postBatch({ events: [aDriftEvent(), anEventOf(256 * 1024 + 1)] });
  expect(tooLarge).toEqual(aProblem(413, 'body_too_large'));
  expect(tooLarge.body.errors[0].pointer).toBe('/events/1');
  expect(await storedEvents()).toBe(before);
  expect((await postBatch({ events: [anEventOf(256 * 1024)] })).status).toBe(202);
});

test('a batch over 8 MiB is 413; one just below it is accepted', async () => {
  const events = Array.from({ length: 32 }, () => anEventOf(256 * 1024 - 10));
  expect((await postBatch({ events })).status).toBe(202);
  const answer = await postBatch({ events: [...events, anEventOf(1000)] });
  expect(answer).toEqual(aProblem(413, 'body_too_large'));
});

test('1,000 events are accepted within two seconds', async () => {
  const before = await storedEvents();
  const startedAt = performance.now();
  const { body } = await postBatch({ events: Array.from({ length: 1000 }, () => aDriftEvent()) });
  expect(performance.now() - startedAt).toBeLessThan(2000);
  expect(body.results).toHaveLength(1000);
  expect(await storedEvents()).toBe(before + 1000);
});

/** An event whose JSON has exactly this many bytes. */
function anEventOf(bytes: number) {
  const event = aDriftEvent({ data: driftData({ filler: '' }) });
  const filler = 'x'.repeat(bytes - JSON.stringify(event).length);
  return aDriftEvent({ data: driftData({ filler }) });
}

test('a batch that would make more than 25,000 deliveries is 413 and says how many events fit; nothing is stored', async () => {
  const many = await aCustomer(stack);
  for (let index = 1; index <= 50; index += 1) {
    await many.admin.post('/v1/endpoints', { name: `${index}`, url: stack.receiver.url, event_types: ['drift.many'] });
  }
  const before = await storedEvents();
  const batchOf = (count: number, event_type: string) => ({
    events: Array.from({ length: count }, () => aDriftEvent({ event_type })),
  });
  const answer = await many.producer.post('/v1/drift-events/batch', batchOf(501, 'drift.many'));
  expect(answer).toEqual(aProblem(413, 'too_many_deliveries'));
  expect(answer.body.detail).toContain('25050 deliveries');
  expect(answer.body.detail).toContain('about 500 events');
  expect(await storedEvents()).toBe(before);
  expect((await many.producer.post('/v1/drift-events/batch', batchOf(501, 'drift.few'))).status).toBe(202);
}, 60_000);
