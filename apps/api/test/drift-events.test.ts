import { aDriftEvent, driftData, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, type Customer, setup, UUID_V7 } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
afterAll(() => stack.close());

test('POST on drift event creation answers 202 with the event and its deliveries, and nothing else', async () => {
  const answer = await customer.producer.post('/v1/drift-events', aDriftEvent());
  expect(answer.status).toBe(202);
  expect(answer.headers.get('idempotency-replayed')).toBeNull();
  expect(answer.body).toEqual({
    id: expect.stringMatching(UUID_V7),
    customer_id: customer.id,
    event_type: 'drift.created',
    request_id: expect.stringMatching(UUID_V7),
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    deliveries: [
      { id: expect.stringMatching(UUID_V7), endpoint_id: expect.stringMatching(UUID_V7), status: 'pending' },
    ],
  });
  expect(answer.body.request_id).not.toBe(answer.headers.get('x-request-id'));
});

test('the event and its delivery are rows, and all ids carry the millisecond of created_at', async () => {
  const { body } = await customer.producer.post('/v1/drift-events', aDriftEvent());
  const event = await stack.prisma.driftEvent.findUniqueOrThrow({
    where: { id: body.id },
    include: { deliveries: true },
  });
  expect(event).toMatchObject({ customerId: customer.id, driftType: 'DENIAL_RATE', severity: 0.8 });
  expect(event.deliveries).toMatchObject([{ id: body.deliveries[0].id, status: 'pending', maxAttempts: 3 }]);
  const millisecond = Date.parse(body.created_at).toString(16).padStart(12, '0');
  for (const id of [body.id, body.request_id, body.deliveries[0].id]) {
    expect(id.replaceAll('-', '').slice(0, 12)).toBe(millisecond);
  }
});

test('the job is enqueued under <deliveryId>-1 and carries ids only', async () => {
  const { body } = await customer.producer.post('/v1/drift-events', aDriftEvent());
  const [delivery] = body.deliveries;
  const job = await until(async () => {
    const hash = await stack.redis.redis.hgetall(`driftwire:deliveries:${delivery.id}-1`);
    return hash.data !== undefined && hash;
  });
  expect(JSON.parse(job.data ?? '')).toEqual({
    deliveryId: delivery.id,
    generation: 1,
    endpointId: delivery.endpoint_id,
  });
  expect(JSON.parse(job.opts ?? '')).toMatchObject({ attempts: 3, backoff: { type: 'recorded-delay' } });
});

test('event_type is drift.created unless given, occurred_at the time of acceptance', async () => {
  const { body } = await customer.producer.post('/v1/drift-events', { data: driftData() });
  expect(body.event_type).toBe('drift.created');
  expect((await customer.viewer.get(`/v1/drift-events/${body.id}`)).body).toEqual({
    id: body.id,
    customer_id: customer.id,
    event_type: 'drift.created',
    request_id: body.request_id,
    occurred_at: body.created_at,
    created_at: body.created_at,
    idempotency_key: null,
    data: driftData({ delta_value: 0.19 }),
  });
});

test('occurred_at stays as it was posted, offset and digits included', async () => {
  const occurred_at = '2026-01-31T01:02:03.120+05:30';
  const { body } = await customer.producer.post('/v1/drift-events', aDriftEvent({ occurred_at }));
  const read = await customer.viewer.get(`/v1/drift-events/${body.id}`);
  expect(read.body.occurred_at).toBe(occurred_at);
  expect(JSON.parse(await storedBody(body.id)).metadata.occurred_at).toBe(occurred_at);
});

test('a missing delta_value is inserted as the last member of data, rounded; a given one is left alone', async () => {
  const texts = await Promise.all([
    dataAfterPosting(JSON.stringify(driftData({ baseline_value: 0.1, current_value: 0.3 }))),
    dataAfterPosting(JSON.stringify(driftData({ delta_value: 7 }))),
    dataAfterPosting(JSON.stringify({ delta_value: -0, ...driftData() })),
  ]);
  expect(texts[0]).toMatch(/"confidence":0\.95,"delta_value":0\.2}$/);
  expect(texts[1]).toMatch(/"delta_value":7}$/);
  expect(texts[2]).toMatch(/^{"delta_value":0,.*"confidence":0\.95}$/);
});

test('a drift_type has 64 characters, whatever they are', async () => {
  const event = aDriftEvent({ data: driftData({ drift_type: '📈'.repeat(64) }) });
  expect((await customer.producer.post('/v1/drift-events', event)).status).toBe(202);
});

const awkward = [
  ['key order and digit-like keys', '"z":1,"10":2,"2":3,"a":4'],
  ['numbers', '"n":1.10,"big":12345678901234567890,"tiny":1e-7,"exp":1.50E+02,"minus":-0'],
  ['escapes', '"e":"caf\\u00e9 \\/ \\ud83d\\ude00 \\n \\t \\"q\\"","\\u006b":1'],
  ['raw unicode', '"u":"über 漢字 😀 \u2028"'],
  ['whitespace', '"w" :\t[ 1 ,\r\n 2 ] , "o": { }'],
  ['our own words', '"m":",\\"metadata\\":{","metadata":{"request_id":"fake"},"event_type":"x"'],
  ['__proto__ and constructor', '"__proto__":{"admin":true},"constructor":{"prototype":{}}'],
];
test.each(awkward)('data arrives as it was sent, byte for byte: %s', async (_, members) => {
  const sent = `{ ${members}, ${JSON.stringify(driftData({ delta_value: 0.19 })).slice(1)}`;
  expect(await dataAfterPosting(sent)).toBe(sent);
});

/** Posts an event with this data and answers the data's text in the read and in the list, which must be that of the stored body. */
async function dataAfterPosting(data: string): Promise<string> {
  const posted = await customer.producer.post('/v1/drift-events', `{"event_type": "drift.raw", "data": ${data} }`);
  expect(posted.status).toBe(202);
  const { text } = await customer.viewer.get(`/v1/drift-events/${posted.body.id}`);
  const dataText = text.slice(text.indexOf(',"data":') + ',"data":'.length, -1);
  const list = await customer.viewer.get(`/v1/drift-events?request_id=${posted.body.request_id}`);
  expect(list.text).toBe(`{"data":[${text}],"next_cursor":null}`);
  expect(await storedBody(posted.body.id)).toContain(`{"event_type":"drift.raw","data":${dataText},"metadata":{`);
  return dataText;
}

async function storedBody(id: string): Promise<string> {
  return (await stack.prisma.driftEvent.findUniqueOrThrow({ where: { id } })).body;
}
