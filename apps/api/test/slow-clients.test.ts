import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postHead } from './raw-http.js';
import { type ApiStack, setup } from './setup.js';

/** After 30 s, of which the server looks every 5 s whether they are over; and a busy machine. */
const CUT_OFF_WITHIN_MS = 45_000;
const DRIP_EVERY_MS = 500;

let stack: ApiStack;
const sockets: Socket[] = [];
beforeAll(async () => {
  stack = await setup();
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await stack.close();
});

test.concurrent.each([
  ['its headers', 'GET /v1/customers HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  ['its body', postHead('Content-Length: 100000')],
])(
  'a client that drips %s is cut off, however steadily it drips',
  async (_, start) => {
    const url = stack.apis[0]?.url ?? '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    sockets.push(socket);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.write(start);
    const dripping = setInterval(() => socket.write('x'), DRIP_EVERY_MS);
    await once(socket, 'close', { signal: AbortSignal.timeout(CUT_OFF_WITHIN_MS) });
    clearInterval(dripping);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toContain('request_timeout');
  },
  CUT_OFF_WITHIN_MS + 10_000,
);
