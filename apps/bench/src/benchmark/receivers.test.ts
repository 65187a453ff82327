import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Receivers, startReceivers } from './receivers.js';

let receivers: Receivers;
beforeEach(async () => {
  receivers = await startReceivers(1);
});
afterEach(() => receivers.close());

const HEAD =
  'POST / HTTP/1.1\r\nHost: x\r\nWebhook-Id: event-1\r\nx-webhook-delivery-id: delivery-1\r\nContent-Length: 6\r\n\r\n';

/** Sends pieces one after the other, each when the one before has been answered, or without an answer. */
async function send(pieces: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(receivers.urls[0] ?? '').port), '127.0.0.1');
  await once(socket, 'connect');
  socket.setNoDelay(true);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await once(socket, 'close');
  return answer;
}

const answers = (text: string) => text.split('HTTP/1.1 200 OK').length - 1;

test.each([
  ['at once', [`${HEAD}{"a":1`]],
  ['with its body apart', [HEAD, '{"a":1']],
  ['in the middle of head and body', [HEAD.slice(0, 20), `${HEAD.slice(20)}{"`, 'a":1']],
])('a webhook that comes %s is noted once and answered once', async (_how, pieces) => {
  expect(answers(await send(pieces))).toBe(1);
  expect(receivers.arrivals).toMatchObject([{ deliveryId: 'delivery-1', eventId: 'event-1' }]);
});

test('a connection takes one webhook after the other', async () => {
  expect(answers(await send([HEAD, '{"a":1', HEAD, '{"a":1']))).toBe(2);
  receivers.forget();
  expect(receivers.arrivals).toEqual([]);
});

test('a receiver answers with the status it was told last', async () => {
  await send([HEAD, '{"a":1']);
  receivers.answerWith(500);
  expect(await send([HEAD, '{"a":1'])).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
  receivers.answerWith(200);
  expect(answers(await send([HEAD, '{"a":1']))).toBe(1);
});

test.each([
  ['more than it said', [`${HEAD}{"a":1 and more`]],
  ['a length that is none', ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: six\r\n\r\nabcdef']],
])('a request with %s is not answered', async (_what, pieces) => {
  expect(answers(await send(pieces).catch(() => ''))).toBe(0);
});
