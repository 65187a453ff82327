import { ADMIN_API_KEY } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exchange } from './raw-http.js';
import { type ApiStack, aCustomer, routes, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let ids: Record<string, string>;
beforeAll(async () => {
  stack = await setup({ workers: 1 });
  const { id } = await aCustomer(stack);
  const endpoint = { customer_id: id, name: 'one', url: stack.receiver.url };
  const { body: made } = await stack.api.post('/v1/endpoints', endpoint);
  const { deliveries } = await stack.postEvent(id);
  await stack.deliveryIn('success', deliveries[0].id);
  ids = { endpoints: made.id, deliveries: deliveries[0].id };
});
afterAll(() => stack.close());

type Sent = { method: string; path: string; headers: readonly string[]; framing: string };

async function send({ method, path, headers, framing }: Sent) {
  const [, , thing = ''] = path.split('/');
  const target = path.replace(':id', method === 'DELETE' ? UNKNOWN_ID : (ids[thing] ?? UNKNOWN_ID));
  const common = ['Host: x', 'Connection: close', `Authorization: Bearer ${ADMIN_API_KEY}`];
  const head = [`${method} ${target} HTTP/1.1`, ...common, ...headers].join('\r\n');
  const { status, body } = await exchange(stack.apis[0]?.url ?? '', `${head}\r\n${framing}`);
  return { status, body };
}

const TYPES = ['application/x-www-form-urlencoded', 'text/plain', 'application/json', 'none of all', ''];
const FRAMINGS = {
  'without a length': '\r\n',
  'of length 0': 'Content-Length: 0\r\n\r\n',
  'of no chunks': 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
};
const emptyBodies = Object.entries(FRAMINGS).flatMap(([name, framing]) => [
  { name: `${name} and without a type`, headers: [], framing },
  { name: `${name}, compressed`, headers: ['Content-Type: application/json', 'Content-Encoding: gzip'], framing },
  ...TYPES.map((type) => ({ name: `${name}, as "${type}"`, headers: [`Content-Type: ${type}`], framing })),
]);
const writing = routes.filter(({ method }) => method !== 'GET');

test.each(writing)('$operationId takes a body of 0 bytes for none, whatever is said of it', async (route) => {
  const { method, path, body, bodyRequired = true } = route;
  const isRequired = body !== undefined && bodyRequired;
  for (const { name, ...empty } of emptyBodies) {
    if (route.operationId === 'retryDelivery') await stack.deliveryIn('success', ids.deliveries ?? '');
    const answer = await send({ method, path, ...empty });
    const expected = isRequired ? 400 : method === 'DELETE' ? 404 : route.success.status;
    expect({ name, answer }).toEqual({ name, answer: expect.objectContaining({ status: expected }) });
    if (isRequired) expect(JSON.parse(answer.body)).toMatchObject({ detail: 'The body is empty: send JSON.' });
  }
});

test('chunks that come late and hold something are no empty body', async () => {
  const framing = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  for (const headers of [[], ['Content-Type: text/plain'], ['Content-Type: x']]) {
    const answer = await send({ method: 'POST', path: '/v1/customers', headers, framing });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  }
});
