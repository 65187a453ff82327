import { gzipSync } from 'node:zlib';
import { ADMIN_API_KEY, aDriftEvent } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exchange } from './raw-http.js';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const BOM = '\ufeff';
const JSON_TYPE = { 'content-type': 'application/json' };
const anEvent = () => JSON.stringify(aDriftEvent({ customer_id: customer.id }));

async function post(body: Uint8Array | string, headers: Record<string, string>, path = '/v1/drift-events') {
  const response = await fetch(`${stack.apis[0]?.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_API_KEY}`, ...headers },
    body,
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

test('a byte order mark in front of the body is ignored, also by the replay check', async () => {
  const headers = { ...JSON_TYPE, 'idempotency-key': 'marked' };
  const marked = await post(BOM + anEvent(), headers);
  expect(marked.status).toBe(202);
  const plain = await post(anEvent(), headers);
  expect(plain.headers.get('idempotency-replayed')).toBe('true');
  expect(plain.body.id).toBe(marked.body.id);
  const { text } = await stack.api.get(`/v1/drift-events/${marked.body.id}`);
  expect(text).not.toContain(BOM);
});

test('a byte order mark is ignored at every call that takes a body, and alone it is no body', async () => {
  expect((await post(`${BOM}{"name":"x"}`, JSON_TYPE, '/v1/customers')).status).toBe(201);
  const batch = `${BOM}{"customer_id":"${customer.id}","events":[${JSON.stringify(aDriftEvent())}]}`;
  expect((await post(batch, JSON_TYPE, '/v1/drift-events/batch')).status).toBe(202);
  const alone = await post(BOM, JSON_TYPE);
  expect(alone).toEqual(aProblem(400, 'invalid_json'));
  expect(alone.body.detail).toBe('The body is empty: send JSON.');
});

test.each([
  ['a second byte order mark', `${BOM}${BOM}{}`, '\\ufeff'],
  ['a no-break space', '\u00a0{}', '\\u00a0'],
  ['a space without width', '\u200b{}', '\\u200b'],
])('%s is named in the 400', async (_, body, name) => {
  const answer = await post(body, JSON_TYPE);
  expect(answer).toEqual(aProblem(400, 'invalid_json'));
  expect(answer.body.detail).toContain(name);
  expect(answer.body.detail).toMatch(/^[\x20-\x7e]*$/);
});

test.each(['gzip', 'GZIP', 'br', 'deflate', 'x-gzip', 'identity, gzip', 'nonsense'])(
  'a body of Content-Encoding %s is 415, with what would be taken',
  async (coding) => {
    for (const path of ['/v1/drift-events', '/v1/drift-events/batch', '/v1/customers']) {
      const answer = await post(gzipSync(anEvent()), { ...JSON_TYPE, 'content-encoding': coding }, path);
      expect(answer).toEqual(aProblem(415, 'unsupported_media_type'));
      expect(answer.body.detail).toBe('Send the body uncompressed, without a Content-Encoding.');
      expect(answer.headers.get('accept-encoding')).toBe('identity');
    }
  },
);

test.each(['identity', 'Identity', ''])('Content-Encoding "%s" says nothing', async (coding) => {
  expect((await post(anEvent(), { ...JSON_TYPE, 'content-encoding': coding })).status).toBe(202);
});

test('a compressed body is refused before it is read', async () => {
  const headers = `Host: x\r\nAuthorization: Bearer ${ADMIN_API_KEY}\r\nContent-Encoding: gzip\r\n`;
  const head = `POST /v1/drift-events/batch HTTP/1.1\r\n${headers}Content-Type: application/json\r\n`;
  const answer = await exchange(stack.apis[0]?.url ?? '', `${head}Content-Length: 8000000\r\n\r\n`);
  expect(answer).toMatchObject({ status: 415, closed: true });
});

test('JSON is UTF-8, whatever charset its type names (RFC 8259, section 11)', async () => {
  const event = anEvent();
  for (const charset of ['utf-8', '"UTF-8"', 'iso-8859-1', 'nonsense']) {
    expect((await post(event, { 'content-type': `application/json; charset=${charset}` })).status).toBe(202);
  }
  const type = { 'content-type': 'application/json; charset=iso-8859-1' };
  const latin1 = await post(Buffer.from(event.replace('Aetna', 'Ætna'), 'latin1'), type);
  expect(latin1).toEqual(aProblem(400, 'invalid_json'));
  expect(latin1.body.detail).toBe('The body is not valid UTF-8.');
  for (const text of [event, BOM + event]) {
    const answer = await post(Buffer.from(text, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' });
    expect(answer).toEqual(aProblem(400, 'invalid_json'));
  }
});
