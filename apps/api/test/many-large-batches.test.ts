import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ADMIN_API_KEY, aDriftEvent, driftData } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sendAndLeave } from './raw-http.js';
import { type ApiStack, aCustomer, type Customer, setup } from './setup.js';

const EVENTS = 100;
const BATCHES = 40;
const MIB = 1024 * 1024;

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'all', url: stack.receiver.url });
});
afterAll(() => stack.close());

/** 7.7 MiB; each event can be told by its key. */
function aLargeBatch(number: number): string {
  const filler = 'x'.repeat((7.7 * MIB) / EVENTS - 300);
  const events = Array.from({ length: EVENTS }, (_, index) =>
    aDriftEvent({ idempotency_key: `${number}-${index}`, data: driftData({ filler }) }),
  );
  return JSON.stringify({ events });
}

test('many large batches at once are taken one by one or refused whole, beside small events, in bounded memory', async () => {
  const batches = Array.from({ length: BATCHES }, (_, number) => aLargeBatch(number));
  const watched = watch();
  const answers = await Promise.all(batches.map((batch) => customer.producer.post('/v1/drift-events/batch', batch)));
  const { peakMiB, slowestMs, small } = await watched.end();

  const accepted = answers.flatMap(({ status }, number) => (status === 202 ? [number] : []));
  expect(accepted.length).toBeGreaterThan(0);
  for (const { status, body, headers } of answers.filter((answer) => answer.status !== 202)) {
    expect({ status, code: body.code, retryAfter: headers.get('retry-after') }).toEqual({
      ...{ status: 503, code: 'overloaded', retryAfter: '2' },
    });
  }
  const keys = await stack.prisma.idempotencyKey.findMany({ select: { key: true } });
  const stored = new Set(keys.map(({ key }) => key.split('-')[0]));
  expect([...stored].map(Number).sort((a, b) => a - b)).toEqual(accepted);
  expect(keys).toHaveLength(accepted.length * EVENTS);

  expect(new Set(small)).toEqual(new Set([202]));
  // Without the budget all bodies are in memory several times over: 1.9 GiB for forty.
  expect(peakMiB).toBeLessThan(1_024);
  // Held up by a parser, or by what they all do at once, this takes seconds; test files share the cores.
  expect(slowestMs).toBeLessThan(1_500);
}, 60_000);

test('clients that leave, before their body is in or before they are answered, give back what was held for them', async () => {
  const url = stack.apis[0]?.url ?? '';
  const head = `POST /v1/drift-events/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_API_KEY}\r\n`;
  const whole = JSON.stringify({ customer_id: customer.id, ...JSON.parse(aLargeBatch(BATCHES)) });
  const length = `Content-Type: application/json\r\nContent-Length: ${whole.length}\r\n\r\n`;
  for (let round = 0; round < 3; round += 1) {
    const halves = Array.from({ length: 4 }, () => sendAndLeave(url, head + length + whole.slice(0, MIB)));
    await Promise.all([...halves, sendAndLeave(url, head + length + whole)]);
  }
  const answer = await customer.producer.post('/v1/drift-events/batch', aLargeBatch(BATCHES + 1));
  expect(answer.status).toBe(202);
});

/** Meanwhile: how much memory the API takes, how long it takes to say that it is alive, and what becomes of small events. */
function watch() {
  let isOver = false;
  let peakMiB = 0;
  let slowestMs = 0;
  const small: number[] = [];
  const whileStorm = async (act: () => Promise<void>) => {
    while (!isOver) {
      await act();
      await delay(20);
    }
  };
  const watching = Promise.all([
    whileStorm(async () => {
      peakMiB = Math.max(peakMiB, residentMiB(stack.apis[0]?.pid ?? 0));
    }),
    whileStorm(async () => {
      const startedAt = performance.now();
      await stack.api.get('/healthz');
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    }),
    whileStorm(async () => {
      small.push((await customer.producer.post('/v1/drift-events', aDriftEvent())).status);
    }),
  ]);
  return {
    end: async () => {
      isOver = true;
      await watching;
      return { peakMiB, slowestMs, small };
    },
  };
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}
