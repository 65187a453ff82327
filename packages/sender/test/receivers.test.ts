import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { httpReceiver, rawReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { until } from './until.js';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const SHORT = { timeoutMs: 150 };

test('a small answer is read to its end and its connection used again', async () => {
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end('thanks')));
  const first = await send();
  const second = await send();
  expect(first.outcome).toEqual({ kind: 'response', status: 200, retryAfterMs: null });
  expect(first.response).toMatchObject({ status: 200, body: 'thanks', headers: { 'content-length': '6' } });
  expect(first.error).toBeNull();
  expect(receiver.accepted()).toBe(1);
  expect(Object.keys(first.phases).sort()).toEqual(['dns', 'download', 'first_byte', 'tcp']);
  expect(Object.keys(second.phases).sort()).toEqual(['download', 'first_byte']);
});

test('a receiver that accepts and never answers is stopped by the total timeout', async () => {
  const { receiver, send } = await setup(
    rawReceiver(() => undefined),
    SHORT,
  );
  const report = await send();
  expect(report.outcome.kind).toBe('timeout');
  expect(report.error).toMatch(/^Timed out: /);
  expect(report.response).toBeNull();
  expect(report.durationMs).toBeGreaterThanOrEqual(145);
  expect(report.durationMs).toBeLessThan(1500);
  await until(() => receiver.open() === 0);
});

test('a receiver that never completes the TLS handshake is stopped by the total timeout', async () => {
  const { receiver, send } = await setup(
    rawReceiver(() => undefined),
    SHORT,
  );
  expect((await send({ url: receiver.url.replace('http:', 'https:') })).error).toMatch(/^Timed out: /);
  await until(() => receiver.open() === 0);
});

test('no timer outlives its attempt, answered or not', async () => {
  const answering = await setup(httpReceiver((_request, response) => response.end()));
  const silent = await setup(
    rawReceiver(() => undefined),
    SHORT,
  );
  const before = timers().length;
  await Promise.all([answering.send(), silent.send()]);
  // Not equal, and not at once: others may begin or end one meanwhile. An attempt's own would stay for five seconds.
  await until(() => timers().length <= before);
});

test('a receiver that drips its headers is stopped by the total timeout', async () => {
  const { receiver, send } = await setup(
    rawReceiver((socket) => {
      socket.write(HEAD);
      drip(
        () => socket.write('X-Drip: 1\r\n'),
        () => socket.destroyed,
      );
    }),
    SHORT,
  );
  expect((await send()).outcome.kind).toBe('timeout');
  await until(() => receiver.open() === 0);
});

test('a receiver that drips its body is stopped by the total timeout, and its status decides', async () => {
  const { receiver, send } = await setup(
    rawReceiver((socket) => {
      socket.write(`${HEAD}Content-Length: 1000\r\n\r\n`);
      drip(
        () => socket.write('.'),
        () => socket.destroyed,
      );
    }),
    SHORT,
  );
  const report = await send();
  expect(report.outcome).toMatchObject({ kind: 'response', status: 200 });
  expect(report.response?.body).toMatch(/^\.+$/);
  expect(report.durationMs).toBeLessThan(1500);
  await until(() => receiver.open() === 0);
});

test('a receiver that never closes a body without length is stopped by the total timeout, and its status decides', async () => {
  const { send } = await setup(
    rawReceiver((socket) => socket.write(`${HEAD}\r\nhalf`)),
    SHORT,
  );
  expect(await send()).toMatchObject({ outcome: { status: 200 }, response: { body: 'half' } });
});

test.each(['', 'Content-Length: 10000000000\r\n'])('an endless body is cut, with %j', async (length) => {
  let written = 0;
  const { receiver, send } = await setup(
    rawReceiver((socket) => {
      const chunk = Buffer.alloc(16 * 1024, 'x');
      const pour = () => {
        while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
      };
      socket.on('drain', pour);
      socket.write(`${HEAD}${length}\r\n`);
      pour();
    }),
  );
  const report = await send();
  expect(report.outcome).toMatchObject({ status: 200 });
  expect(report.response?.body).toBe('x'.repeat(4096));
  await until(() => receiver.open() === 0);
  expect(written).toBeLessThan(16 * 1024 * 1024);
});

test('a gzip bomb is not inflated', async () => {
  const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024));
  const { send } = await setup(
    httpReceiver((_request, response) => response.setHeader('Content-Encoding', 'gzip').end(bomb)),
  );
  const { response } = await send();
  expect(response?.headers).toMatchObject({ 'content-length': String(bomb.length) });
  expect(response?.body).toBe(`[gzip, ${bomb.length} bytes read]`);
});

test('200 kB of headers are no valid response', async () => {
  const headers = Array.from({ length: 200 }, (_, index) => `X-${index}: ${'x'.repeat(1000)}\r\n`).join('');
  const { send } = await setup(rawReceiver((socket) => socket.write(`${HEAD}${headers}\r\n`)));
  const report = await send();
  expect(report.outcome.kind).toBe('protocol');
  expect(report.error).toMatch(/^No valid HTTP exchange: /);
});

test('headers that fit are recorded up to 8 KiB', async () => {
  const headers = Array.from({ length: 12 }, (_, index) => `X-${index}: ${'x'.repeat(1000)}\r\n`).join('');
  const { send } = await setup(rawReceiver((socket) => socket.write(`${HEAD}${headers}Content-Length: 0\r\n\r\n`)));
  const { response } = await send();
  expect(Object.keys(response?.headers ?? {})).toHaveLength(8);
});

test.each([
  'HTTP/1.1 abc\r\n\r\n',
  'SSH-2.0-OpenSSH_9.2\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  '\0\0\0',
])('bytes that are not HTTP are a failed attempt: %j', async (bytes) => {
  const { send } = await setup(
    rawReceiver((socket) => socket.end(bytes)),
    SHORT,
  );
  expect((await send()).outcome.kind).toBe('protocol');
});

test('after a thousand 103s the status decides', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n'.repeat(1000);
  const { send } = await setup(rawReceiver((socket) => socket.write(`${hints}HTTP/1.1 204 No Content\r\n\r\n`)));
  expect((await send()).outcome).toMatchObject({ status: 204 });
});

test('103s without end are stopped', async () => {
  const { receiver, send } = await setup(
    rawReceiver((socket) => {
      const hints = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(500);
      drip(
        () => socket.write(hints),
        () => socket.destroyed,
      );
    }),
  );
  expect((await send()).outcome.kind).toBe('protocol');
  await until(() => receiver.open() === 0);
});

test('101 is a status like any other, and its connection is closed', async () => {
  const { receiver, send } = await setup(
    rawReceiver((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello'),
    ),
  );
  expect((await send()).outcome).toMatchObject({ kind: 'response', status: 101 });
  await until(() => receiver.open() === 0);
});

test('a reset before the headers is a failed attempt', async () => {
  const { send } = await setup(rawReceiver((socket) => socket.resetAndDestroy()));
  const report = await send();
  expect(report.outcome.kind).toBe('reset');
  expect(report.error).toMatch(/^Connection lost: /);
});

test('a connection closed without an answer is a failed attempt', async () => {
  const { send } = await setup(rawReceiver((socket) => socket.end()));
  expect((await send()).outcome.kind).toBe('reset');
});

test.each([200, 500])('after a reset in the body of a %i the status decides', async (status) => {
  const { send } = await setup(
    rawReceiver((socket) => {
      socket.write(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 100\r\n\r\npart`);
      later(() => socket.resetAndDestroy());
    }),
  );
  expect(await send()).toMatchObject({
    outcome: { kind: 'response', status },
    response: { body: 'part' },
    error: null,
  });
});

test('after a broken chunk in the body of a 200 the status decides', async () => {
  const { send } = await setup(
    rawReceiver((socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`);
      later(() => socket.end('not a length\r\n'));
    }),
  );
  expect(await send()).toMatchObject({ outcome: { status: 200 }, response: { body: 'part' } });
});

test('bytes after the end of a response break neither this attempt nor the next', async () => {
  const { send } = await setup(
    rawReceiver((socket) => {
      socket.write(`${HEAD}Content-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n`);
      setImmediate(() => socket.write('garbage'));
    }),
  );
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { outcome } = await send();
    expect(outcome).toMatchObject({ kind: 'response', status: 200 });
  }
});

test('nobody listening is refused', async () => {
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end()));
  await receiver.close();
  const report = await send();
  expect(report.outcome.kind).toBe('refused');
  expect(report.error).toMatch(/^Connection refused or host unreachable: /);
});

test('a body with NUL and invalid UTF-8 is recorded, cleaned', async () => {
  const { send } = await setup(httpReceiver((_request, response) => response.end(Buffer.from([0x61, 0, 0xff, 0x62]))));
  expect((await send()).response?.body).toBe('a\ufffd\ufffdb');
});

test('idle connections are bounded over all hosts', async () => {
  const { receiver, send } = await setup(
    httpReceiver((_request, response) => response.end()),
    { maxIdleSockets: 2 },
  );
  const hosts = ['a', 'b', 'c', 'd'];
  await Promise.all(hosts.map((host) => send({ url: `http://${host}.example.com:${receiver.port}/` })));
  await until(() => receiver.open() === 2);
  expect(receiver.accepted()).toBe(4);
});

/** Writes every few milliseconds until the other side has gone. */
function drip(write: () => void, isGone: () => boolean): void {
  const timer = setInterval(() => (isGone() ? clearInterval(timer) : write()), 10);
}

function timers(): string[] {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout' || resource === 'Immediate');
}

/** For bytes that shall not arrive together with the ones before. */
function later(act: () => void): void {
  setTimeout(act, 30);
}
