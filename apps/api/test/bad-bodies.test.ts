import { ADMIN_API_KEY, aDriftEvent, driftData } from '@driftwire/testing';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
afterEach(async () => {
  expect(await stack.prisma.driftEvent.count()).toBe(0);
  expect(await stack.redis.redis.keys('driftwire:deliveries:*-1')).toEqual([]);
});
afterAll(() => stack.close());

const post = (body: unknown, headers?: Record<string, string>) =>
  customer.producer.post('/v1/drift-events', body, headers);
const valid = JSON.stringify(aDriftEvent());
const withMember = (member: string) => `{"data":{${member},${JSON.stringify(driftData()).slice(1)}}`;

test.each([
  ['empty', ''],
  ['blank', '  '],
  ['truncated', valid.slice(0, -2)],
  ['with something behind it', `${valid} x`],
  ['with a trailing comma', `${valid.slice(0, -1)},}`],
  ['with a comment', `/**/${valid}`],
  ['with single quotes', valid.replaceAll('"', "'")],
  ['with a duplicate key', withMember('"a":1,"a":2')],
  ['with a duplicate key spelled differently', withMember('"a":1,"\\u0061":2')],
  ['with data twice', `{"data":${JSON.stringify(driftData())},${valid.slice(1)}`],
  ['with a number beyond the finite', withMember('"a":1e400')],
  ['with a number beyond the finite where one is read', valid.replace('0.31', '-1e400')],
  ['with NaN', withMember('"a":NaN')],
  ['with an escaped NUL', withMember('"a":"\\u0000"')],
  ['with an escaped NUL in a key', withMember('"\\u0000":1')],
  ['with an escaped NUL in a field that is read', valid.replace('DENIAL_RATE', '\\u0000')],
  ['with a lone surrogate', withMember('"a":"\\ud800"')],
  ['with a lone low surrogate', withMember('"a":"\\udc00"')],
  ['with a surrogate pair the wrong way round', withMember('"a":"\\udc00\\ud800"')],
  ['with a lone surrogate in a key', withMember('"\\ud800":1')],
  ['with a lone surrogate in a field that is read', valid.replace('DENIAL_RATE', '\\ud800')],
  ['nested 10,000 deep', `{"data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ['nested 100,000 deep and truncated', '{"a":'.repeat(50_000)],
])('a body %s is 400 invalid_json', async (_, body) => {
  expect(await post(body)).toEqual(aProblem(400, 'invalid_json'));
});

test.each([
  ['a broken sequence', [0xc3, 0x28]],
  ['a sequence cut short', [0xe6, 0xbc]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate as bytes', [0xed, 0xa0, 0x80]],
])('a body that is not UTF-8 is 400: %s', async (_, bytes) => {
  const [before = '', after = ''] = valid.split('DENIAL_RATE');
  const response = await fetch(`${stack.apis[0]?.url}/v1/drift-events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_API_KEY}`, 'content-type': 'application/json' },
    body: Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'invalid_json', detail: 'The body is not valid UTF-8.' });
});

test.each(['/v1/customers', '/v1/api-keys', '/v1/endpoints'])(
  'a name that Postgres cannot store is 400 at %s as well',
  async (path) => {
    for (const name of ['\\u0000', '\\ud800']) {
      const body = `{"name":"${name}","role":"viewer","url":"${stack.receiver.url}","customer_id":"${customer.id}"}`;
      expect(await stack.api.post(path, body)).toEqual(aProblem(400, 'invalid_json'));
    }
  },
);

const invalid: [string, unknown, string][] = [
  ['an array', [], ''],
  ['null', 'null', ''],
  ['no data', {}, '/data'],
  ['data that is no object', aDriftEvent({ data: [] }), '/data'],
  ['no drift_type', aDriftEvent({ data: driftData({ drift_type: undefined }) }), '/data/drift_type'],
  ['an empty drift_type', aDriftEvent({ data: driftData({ drift_type: '' }) }), '/data/drift_type'],
  ['a drift_type of 65', aDriftEvent({ data: driftData({ drift_type: 'x'.repeat(65) }) }), '/data/drift_type'],
  ['a value as text', aDriftEvent({ data: driftData({ baseline_value: '1' }) }), '/data/baseline_value'],
  ['no current_value', aDriftEvent({ data: driftData({ current_value: undefined }) }), '/data/current_value'],
  ['a severity above 1', aDriftEvent({ data: driftData({ severity: 1.01 }) }), '/data/severity'],
  ['a negative confidence', aDriftEvent({ data: driftData({ confidence: -0.1 }) }), '/data/confidence'],
  ['a delta_value of null', aDriftEvent({ data: driftData({ delta_value: null }) }), '/data/delta_value'],
  ['an upper-case event_type', aDriftEvent({ event_type: 'Drift.Created' }), '/event_type'],
  ['an event_type with a brace', aDriftEvent({ event_type: 'drift.a},{*' }), '/event_type'],
  ['a reserved event_type', aDriftEvent({ event_type: 'webhook.test' }), '/event_type'],
  ['a date for occurred_at', aDriftEvent({ occurred_at: '2026-01-31' }), '/occurred_at'],
  ['a day that does not exist', aDriftEvent({ occurred_at: '2026-02-30T00:00:00Z' }), '/occurred_at'],
  ['a time outside of all calendars', aDriftEvent({ occurred_at: '9999-12-31T23:59:59-12:00' }), '/occurred_at'],
  ['an unknown field', aDriftEvent({ created_at: 'now' }), '/created_at'],
  ['a __proto__', `{"__proto__":{"data":1},${valid.slice(1)}`, '/__proto__'],
];
test.each(invalid)('%s is 400 with its pointer', async (_, body, pointer) => {
  const answer = await post(body);
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors).toContainEqual({ pointer, detail: expect.any(String) });
});

test('all violations are told at once', async () => {
  const answer = await post({ event_type: 'A', data: { severity: 7 } });
  const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(pointers).toEqual(expect.arrayContaining(['/event_type', '/data/severity', '/data/drift_type']));
});

test.each(['text/plain', 'application/jsonx', 'application/x-www-form-urlencoded', 'json', 'application/vnd.api+json'])(
  'content type %s is 415',
  async (type) => {
    expect(await post(valid, { 'content-type': type })).toEqual(aProblem(415, 'unsupported_media_type'));
  },
);

test('a body without a content type is 415', async () => {
  const response = await fetch(`${stack.apis[0]?.url}/v1/drift-events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_API_KEY}` },
    body: Buffer.from(valid),
  });
  expect(response.status).toBe(415);
});

test('no body at all is 400', async () => {
  expect(await post(undefined)).toEqual(aProblem(400, 'invalid_json'));
});

test('a body over 256 KiB is 413, over 64 KiB where no event is expected', async () => {
  const large = aDriftEvent({ data: driftData({ filler: 'x'.repeat(256 * 1024) }) });
  expect(await post(large)).toEqual(aProblem(413, 'body_too_large'));
  const name = 'x'.repeat(64 * 1024);
  expect(await stack.api.post('/v1/customers', { name })).toEqual(aProblem(413, 'body_too_large'));
});

test('the worst body does not hold up other requests', async () => {
  const worst = `{"events":[${'['.repeat(8_000_000)}`;
  const [answer, elapsedMs] = await Promise.all([customer.producer.post('/v1/drift-events/batch', worst), slowest()]);
  expect(answer).toEqual(aProblem(400, 'invalid_json'));
  // A parser that takes this body whole holds everybody up for seconds; two test files share the cores.
  expect(elapsedMs).toBeLessThan(800);
});

/** The slowest of ten health checks in a row: what a stall of the event loop would show in. */
async function slowest(): Promise<number> {
  let longestMs = 0;
  for (let n = 0; n < 10; n += 1) {
    const startedAt = performance.now();
    await stack.api.get('/healthz');
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  return longestMs;
}
