import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aProblem, setup, UUID_V7 } from './setup.js';

let stack: ApiStack;
beforeAll(async () => {
  stack = await setup();
});
afterAll(() => stack.close());

const send = async (method: string, path: string, init: RequestInit = {}) => {
  const response = await fetch(`${stack.apis[0]?.url}${path}`, { method, ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
};

const json: RequestInit = { body: '{"truncated"', headers: { 'content-type': 'application/json' } };
const unknown: [string, string, RequestInit?][] = [
  ['GET', '/'],
  ['GET', '/v1'],
  ['GET', '/v1/nope'],
  ['POST', '/nope', json],
  ['PUT', '/v1/customers', json],
  ['DELETE', '/v1/customers'],
  ['OPTIONS', '/v1/customers'],
  ['PATCH', '/v1/drift-events/01890000-0000-7000-8000-000000000000', json],
  ['GET', '/docs/nope'],
  ['GET', '/%2e%2e/etc/passwd'],
];
test.each(unknown)('%s %s is 404, whatever comes with it', async (method, path, init = {}) => {
  const answer = await send(method, path, init);
  expect(answer).toEqual(aProblem(404, 'not_found'));
});

test.each(['x', '1', 'a'.repeat(300), "'--", '%00', '01890000000070008000000000000000'])(
  'an id that is none, like %s, names nothing: 404',
  async (id) => {
    for (const path of ['customers', 'endpoints', 'drift-events', 'deliveries']) {
      expect(await stack.api.get(`/v1/${path}/${id}`)).toEqual(aProblem(404, 'not_found'));
    }
  },
);

test('a path that cannot be decoded is 400', async () => {
  expect(await stack.api.get('/v1/endpoints/%zz')).toEqual(aProblem(400, 'invalid_request'));
});

test('a problem names the request, which no caller can choose', async () => {
  const { headers, body } = await send('GET', '/v1/nope', {
    headers: { 'request-id': 'mine', 'x-request-id': 'mine' },
  });
  expect(body).toEqual({
    type: 'urn:driftwire:problem:not_found',
    title: 'Not found',
    status: 404,
    detail: 'There is no GET /v1/nope.',
    code: 'not_found',
    request_id: expect.stringMatching(UUID_V7),
  });
  expect(headers.get('x-request-id')).toBe(body.request_id);
});
