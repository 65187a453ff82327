import { stat } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { SenderOptions } from '../src/index.js';
import { fixture } from './receivers.js';
import { setup } from './setup-sender.js';
import { block, type ThreadedReceiver, threadedReceiver } from './threaded-receiver.js';
import { until } from './until.js';
import { resolvesTo } from './webhook-requests.js';

const LIMIT_MS = 600;
const SHORT = { timeoutMs: LIMIT_MS };

test.each(['http', 'https'] as const)(
  'a 200 that arrived while the loop was blocked past the timeout counts: %s',
  async (scheme) => {
    const { receiver, send } = await blockable(scheme, SHORT);
    const sending = send();
    await until(() => receiver.heard() === 1);
    await inSocketCallback(() => answerLate(receiver));
    expect(await sending).toMatchObject(thanks);
  },
);

test('a receiver that has not answered when the loop goes on is timed out at once', async () => {
  const { receiver, send } = await blockable('http', SHORT);
  const sending = send();
  await until(() => receiver.heard() === 1);
  block(LIMIT_MS);
  const { outcome, durationMs, withheld } = await sending;
  expect(outcome).toEqual({ kind: 'timeout', error: `Timed out: no response within ${LIMIT_MS} ms` });
  expect(withheld).toBeNull();
  expect(durationMs).toBeLessThan(3 * LIMIT_MS);
});

test('a request whose time is over before it has a connection is never sent', async () => {
  let lookups = 0;
  const { receiver, send } = await blockable('http', {
    timeoutMs: LIMIT_MS,
    lookup: (hostname, options, callback) => {
      lookups += 1;
      resolvesTo('127.0.0.1')(hostname, options, callback);
      if (lookups === 1) setImmediate(block, LIMIT_MS + 50);
    },
  });
  expect(await send()).toMatchObject({ outcome: { kind: 'timeout' }, withheld: 'late' });
  const next = send();
  await until(() => receiver.heard() > 0);
  receiver.answerWhileBlocked();
  expect(await next).toMatchObject(thanks);
  expect(receiver.heard()).toBe(1);
});

const thanks = { outcome: { kind: 'response', status: 200 }, response: { body: 'thanks' } };

async function blockable(scheme: 'http' | 'https', overrides: Partial<SenderOptions>) {
  return setup(threadedReceiver(scheme), { certificateAuthority: fixture('ca'), ...overrides });
}

function answerLate(receiver: ThreadedReceiver): void {
  receiver.answerWhileBlocked();
  block(LIMIT_MS + 50);
}

/** In the part of the loop that reads sockets. */
function inSocketCallback(act: () => void): Promise<void> {
  return new Promise((resolve) => stat('.', () => resolve(act())));
}
