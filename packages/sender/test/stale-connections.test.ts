import type http from 'node:http';
import type net from 'node:net';
import { expect, test } from '@jest/globals';
import { fixture, httpReceiver, httpsReceiver, rawReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { block } from './threaded-receiver.js';
import { until } from './until.js';

const trusting = { certificateAuthority: fixture('ca') };

test.each(['http', 'https'])(
  'a receiver that hangs up on the second request of each connection gets all of ten: %s',
  async (scheme) => {
    const heard: Heard[] = [];
    const answer = onSecondRequest(heard, (socket) => socket.destroy());
    const starting = scheme === 'http' ? httpReceiver(answer) : httpsReceiver('valid', answer);
    const { receiver, send } = await setup(starting, trusting);
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      expect((await send({ attemptNumber: attempt })).outcome).toMatchObject({ status: 200 });
    }
    expect(heard.length - 10).toBe(receiver.accepted() - 5);
  },
);

test.each(['http', 'https'])('sent again is the same request, and its record says so: %s', async (scheme) => {
  const heard: Heard[] = [];
  const answer = onSecondRequest(heard, (socket) => socket.end());
  const starting = scheme === 'http' ? httpReceiver(answer) : httpsReceiver('valid', answer);
  const { receiver, send } = await setup(starting, trusting);
  const first = await send();
  expect(first.phases).not.toHaveProperty('stale_connection');
  const second = await send({ body: Buffer.from('{}') });
  expect(second).toMatchObject({ outcome: { status: 200 }, error: null });
  expect(second.phases).toMatchObject({ stale_connection: expect.any(Number), tcp: expect.any(Number) });
  expect(receiver.accepted()).toBe(2);
  const [, once, again] = heard;
  expect({ ...again, connection: '' }).toEqual({ ...once, connection: '' });
});

test('a receiver that closes idle connections without saying so gets all of twenty-five', async () => {
  const idleMs = 20;
  const { receiver, send } = await setup(
    httpReceiver((_request, response) => {
      const { socket } = response;
      // Not by `keepAliveTimeout`, of which Node tells its clients.
      response.end(() => setTimeout(() => socket?.resetAndDestroy(), idleMs));
    }),
  );
  let sentAgain = 0;
  for (let attempt = 1; attempt <= 25; attempt += 1) {
    const { outcome, phases } = await send();
    expect(outcome).toMatchObject({ status: 200 });
    sentAgain += Number(phases.stale_connection !== undefined);
    // The next request leaves on a connection that is closed before it is heard.
    block(idleMs + 5);
  }
  expect(sentAgain).toBeGreaterThan(5);
  expect(receiver.accepted()).toBe(25);
});

test('a receiver that resets new connections too is a failed attempt, after two of them', async () => {
  let requests = 0;
  const { receiver, send } = await setup(
    httpReceiver((request, response) => {
      requests += 1;
      if (requests === 1) response.end();
      else request.socket.resetAndDestroy();
    }),
  );
  await send();
  const report = await send();
  expect(report.outcome.kind).toBe('reset');
  expect(report.phases).toHaveProperty('stale_connection');
  expect([receiver.accepted(), requests]).toEqual([2, 3]);
});

test('never on another connection that waits: its receiver may have closed that one as well', async () => {
  let isClosing = false;
  const kept = new WeakSet<net.Socket>();
  const { receiver, send } = await setup(
    httpReceiver(({ socket }, response) => {
      if (isClosing && kept.has(socket)) socket.resetAndDestroy();
      else response.end();
      kept.add(socket);
    }),
  );
  await Promise.all([send(), send(), send()]);
  expect(receiver.accepted()).toBe(3);
  isClosing = true;
  expect((await send()).outcome).toMatchObject({ status: 200 });
  expect(receiver.accepted()).toBe(4);
  await until(() => receiver.open() === 2);
});

test.each(['http', 'https'])('nothing is sent again once a part of an answer has come: %s', async (scheme) => {
  const heard: Heard[] = [];
  const answer = onSecondRequest(heard, (socket) => socket.write('HTTP/1.1 200 O', () => socket.destroy()));
  const starting = scheme === 'http' ? httpReceiver(answer) : httpsReceiver('valid', answer);
  const { receiver, send } = await setup(starting, trusting);
  await send();
  const report = await send();
  expect(report.response).toBeNull();
  expect(report.phases).not.toHaveProperty('stale_connection');
  expect([receiver.accepted(), heard.length]).toEqual([1, 2]);
});

test('nor after an informational response', async () => {
  const heard: Heard[] = [];
  const { receiver, send } = await setup(
    httpReceiver(
      onSecondRequest(heard, (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', () => socket.destroy())),
    ),
  );
  await send();
  expect((await send()).outcome.kind).toBe('reset');
  expect([receiver.accepted(), heard.length]).toEqual([1, 2]);
});

test('the second sending has only the time that the first has left it', async () => {
  const heard: Heard[] = [];
  const { send } = await setup(
    httpReceiver((request, response) => {
      heard.push(request.headers);
      if (heard.length === 1) response.end();
      if (heard.length === 2) setTimeout(() => request.socket.resetAndDestroy(), 200);
    }),
  );
  await send();
  const report = await send({}, 400);
  expect(report.outcome).toEqual({ kind: 'timeout', error: 'Timed out: no response within 400 ms' });
  expect(heard).toHaveLength(3);
  expect(report.durationMs).toBeLessThan(590);
});

test('a reset on a first connection is not sent again', async () => {
  const { receiver, send } = await setup(rawReceiver((socket) => socket.resetAndDestroy()));
  const report = await send();
  expect(report.outcome.kind).toBe('reset');
  expect(report.phases).not.toHaveProperty('stale_connection');
  expect(receiver.accepted()).toBe(1);
});

type Heard = http.IncomingHttpHeaders;

/** Answers the first request of each connection; what happens at the second is up to `act`. */
function onSecondRequest(heard: Heard[], act: (socket: net.Socket) => void): http.RequestListener {
  const seen = new WeakSet<net.Socket>();
  return (request, response) => {
    request.on('end', () => {
      heard.push(request.headers);
      if (seen.has(request.socket)) return act(request.socket);
      seen.add(request.socket);
      response.end();
    });
    request.resume();
  };
}
