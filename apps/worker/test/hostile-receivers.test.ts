import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const EVENTS = 40;
/** What a busy worker takes by itself; kept or inflated answers would be gigabytes. */
const MOST_GROWTH_MIB = 200;
const LONGEST_LAG_S = 1;

const HEAD = 'HTTP/1.1 200 OK\r\n';
const BOMB = gzipSync(Buffer.alloc(10 * 1024 * 1024));
const lines = (count: number, line: string) => line.repeat(count);

/** Each is told that a request has come, and does to its connection what it likes. */
const HOSTILE: Record<string, (socket: Socket) => void> = {
  'never answers': () => {},
  'drips its headers': (socket) => drip(socket, 'x'),
  'drips its body': (socket) => {
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n`);
    drip(socket, 'x');
  },
  'never closes': (socket) => socket.write(`${HEAD}\r\nhalf`),
  'pours without end': (socket) => pour(socket, `${HEAD}\r\n`),
  'announces 10 GB': (socket) => pour(socket, `${HEAD}Content-Length: 10000000000\r\n\r\n`),
  'is a gzip bomb': (socket) => {
    socket.write(`${HEAD}Content-Encoding: gzip\r\nContent-Length: ${BOMB.length}\r\n\r\n`);
    socket.write(BOMB);
  },
  'has 200 kB of headers': (socket) => socket.write(`${HEAD}${lines(200, `X-A: ${'x'.repeat(1_000)}\r\n`)}\r\n`),
  'speaks something else': (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  'hints a thousand times': (socket) => socket.write(`${lines(1_000, 'HTTP/1.1 103 Early Hints\r\n\r\n')}${HEAD}\r\n`),
  'switches protocols': (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello'),
  resets: (socket) => socket.resetAndDestroy(),
  'resets in its body': (socket) =>
    socket.write(`${HEAD}Content-Length: 100\r\n\r\nhalf`, () => socket.resetAndDestroy()),
};

const servers: Server[] = [];
const sockets = new Set<Socket>();
let stack: Stack;
beforeAll(async () => {
  // Without circuits, for each shall get all it can stand.
  const env = { REQUEST_TIMEOUT_MS: '1000', MAX_ATTEMPTS: '1', CIRCUIT_BREAKER: 'false' };
  stack = await startStack({ env });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await stack.close();
});

test('under every hostile receiver at once the worker stays small and awake, and a good one gets everything', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  for (const [name, misbehave] of Object.entries(HOSTILE)) {
    const endpoint = { customer_id: customerId, name, url: await hostileReceiver(misbehave) };
    expect((await stack.api.post('/v1/endpoints', endpoint)).status).toBe(201);
  }
  const before = await vitals();
  const events = await Promise.all(Array.from({ length: EVENTS }, () => stack.postEvent(customerId)));
  const worst = { residentMiB: 0, lagS: 0 };
  await until(
    async () => {
      const now = await vitals();
      worst.residentMiB = Math.max(worst.residentMiB, now.residentMiB);
      worst.lagS = Math.max(worst.lagS, now.lagS);
      return (await unfinished()) === 0;
    },
    { deadlineMs: 60_000 },
  );
  expect(worst.residentMiB - before.residentMiB).toBeLessThan(MOST_GROWTH_MIB);
  expect(worst.lagS).toBeLessThan(LONGEST_LAG_S);
  expect(stack.receiver.requests).toHaveLength(EVENTS);

  const [{ deliveries }] = events as [{ deliveries: { id: string; endpoint_id: string }[] }];
  expect(deliveries).toHaveLength(1 + Object.keys(HOSTILE).length);
  const ended = await Promise.all(deliveries.map(({ id }) => stack.api.get(`/v1/deliveries/${id}`)));
  for (const { body } of ended) {
    expect(body.attempts).toHaveLength(1);
    expect(Buffer.byteLength(body.attempts[0].response_body ?? '')).toBeLessThanOrEqual(4_096);
  }
}, 90_000);

async function vitals(): Promise<{ residentMiB: number; lagS: number }> {
  const text = await (await fetch(`${stack.workers[0]?.url}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return {
    residentMiB: read('process_resident_memory_bytes') / 2 ** 20,
    lagS: read('nodejs_eventloop_lag_max_seconds'),
  };
}

async function unfinished(): Promise<number> {
  const states = ['pending', 'retrying'];
  const pages = await Promise.all(states.map((status) => stack.api.get(`/v1/deliveries?status=${status}`)));
  return pages.reduce((sum, { body }) => sum + body.data.length + Number(body.next_cursor !== null), 0);
}

async function hostileReceiver(misbehave: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', () => misbehave(socket));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
}

function drip(socket: Socket, bytes: string): void {
  const timer = setInterval(() => socket.write(bytes), 100);
  socket.on('close', () => clearInterval(timer));
}

function pour(socket: Socket, head: string): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  socket.write(head);
  more();
}
