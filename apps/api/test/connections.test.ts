import { once } from 'node:events';
import { connect } from 'node:net';
import { aDriftEvent, apiClient, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { holdTable, lockWaiters } from './hold-lock.js';
import { exchange, postHead, type RawExchange, sendAndLeave } from './raw-http.js';
import { type ApiStack, setup } from './setup.js';

let stack: ApiStack;
let url: string;
beforeAll(async () => {
  stack = await setup({ apis: 2 });
  url = stack.apis[0]?.url ?? '';
});
afterAll(() => stack.close());

const CHUNK = `10000\r\n${'x'.repeat(65_536)}\r\n`;
const storedEvents = () => stack.prisma.driftEvent.count();

function expectProblem({ status, body, closed }: RawExchange, code: string): void {
  expect(JSON.parse(body)).toMatchObject({ code, status, request_id: expect.any(String) });
  expect(closed).toBe(true);
}

test('an announced body that is too large is refused before it is read, and the socket closed', async () => {
  const answer = await exchange(url, postHead('Content-Length: 999999999999'));
  expect(answer.status).toBe(413);
  expectProblem(answer, 'body_too_large');
});

test('a client that still writes a body that is too large can read why it was refused', async () => {
  const half = 'x'.repeat(5 * 1024 * 1024);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.write(postHead(`Content-Length: ${2 * half.length}`) + half);
  const [answer] = await once(socket, 'data');
  socket.write(half);
  await once(socket.resume(), 'close');
  expect(`${answer}`).toMatch(/^HTTP\/1\.1 413 /);
  expect(errors).toEqual([]);
});

test('a chunked body without end is refused while it is read, and the socket closed', async () => {
  const answer = await exchange(url, postHead('Transfer-Encoding: chunked') + CHUNK.repeat(5));
  expect(answer.status).toBe(413);
  expectProblem(answer, 'body_too_large');
});

test('a body longer than its Content-Length is no second request: the socket is closed, nothing is stored', async () => {
  const answer = await exchange(url, `${postHead('Content-Length: 5')}${'x'.repeat(10_000)}`);
  expect(answer).toMatchObject({ status: 400, closed: true });
  expect(await storedEvents()).toBe(0);
});

test.each([
  ['without a key', postHead('Transfer-Encoding: chunked', ''), 'unauthorized'],
  [
    'to a path that does not exist',
    'POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    'not_found',
  ],
  [
    'of another content type',
    postHead('Transfer-Encoding: chunked').replace('application/json', 'text/plain'),
    'unsupported_media_type',
  ],
])('an endless body %s is answered at once and cut off', async (_, head, code) => {
  expectProblem(await exchange(url, head + CHUNK), code);
});

test.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'invalid_request'],
  ['another HTTP', 'GET /healthz HTTP/9.9\r\n\r\n', 400, 'invalid_request'],
  ['a length and chunks at once', postHead('Content-Length: 2\r\nTransfer-Encoding: chunked'), 400, 'invalid_request'],
  ['a CR LF in the key', postHead('Idempotency-Key: a\r\nb\r\nContent-Length: 2'), 400, 'invalid_request'],
  ['a LF in the key', postHead('Idempotency-Key: a\nb\r\nContent-Length: 2'), 400, 'invalid_request'],
  ['headers of 20 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
])('%s is a problem like any other', async (_, text, status, code) => {
  const answer = await exchange(url, text);
  expect(answer.status).toBe(status);
  expectProblem(answer, code);
  expect(await storedEvents()).toBe(0);
});

test('a client that leaves in the middle of its body is no error of ours', async () => {
  const [, other] = stack.apis;
  await sendAndLeave(other?.url ?? '', `${postHead('Content-Length: 200')}{"data"`);
  await apiClient(other?.url ?? '').get('/healthz');
  await other?.stop();
  expect(other?.output()).toContain('process.stopped');
  expect(other?.output()).not.toContain('"level":"error"');
});

test('a client gone before the answer finds the same event and deliveries under its key, and they are enqueued', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  const event = JSON.stringify(aDriftEvent({ customer_id: customerId }));
  const framing = `Idempotency-Key: gone\r\nContent-Length: ${Buffer.byteLength(event)}`;
  // The answer has to wait for the lock, so it cannot come before the client is gone.
  const unlock = await holdTable(stack.prisma, 'drift_events');
  await sendAndLeave(url, postHead(framing) + event);
  await until(async () => (await lockWaiters(stack.prisma)) === 1).finally(unlock);

  const stored = await until(() =>
    stack.prisma.driftEvent.findFirst({ where: { customerId }, include: { deliveries: true } }),
  );
  const again = await stack.api.post('/v1/drift-events', event, { 'idempotency-key': 'gone' });
  expect(again.status).toBe(202);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.id).toBe(stored.id);
  expect(again.body.deliveries).toEqual([expect.objectContaining({ id: stored.deliveries[0]?.id })]);
  expect(stored.deliveries).toHaveLength(1);
  await until(() => stack.redis.redis.exists(`driftwire:deliveries:${stored.deliveries[0]?.id}-1`));
});
