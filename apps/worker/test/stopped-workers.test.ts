import { startWorker, until } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { openDatabase } from './open-database.js';
import { aStack, cleanUp, cleanups } from './own-stacks.js';
import { preload } from './preloads.js';

afterAll(cleanUp, 60_000);

/** A worker that is stopped before half of this has gone has not waited for the lookup. */
const TIMEOUT_MS = 6_000;

test('a worker that is stopped between claim and request has made no attempt: the delivery is given back and sent', async () => {
  const { stack, worker, isClaimed } = await aWorkerAnsweredLate({ ANSWERED_AFTER_MS: `${TIMEOUT_MS + 100}` });
  const { id, requests } = await postDelivery(stack, { endpoint: { url: byName(stack.receiver.url) } });
  await until(() => isClaimed(id));
  const stoppedAt = performance.now();
  worker.signal('SIGSTOP');
  await until(() => performance.now() - stoppedAt > TIMEOUT_MS + 500, { deadlineMs: 2 * TIMEOUT_MS });
  expect(requests()).toEqual([]);
  worker.signal('SIGCONT');
  // It is put off for up to five seconds, and found by the sweeper when its worker had no job any more.
  const delivery = await stack.deliveryIn('success', id, { deadlineMs: 30_000 });
  expect(delivery).toMatchObject({ attempt_count: 1, attempts: [{ number: 1, response_code: 200 }] });
  expect(requests()).toHaveLength(1);
  expect(worker.output()).toMatch(/"reason":"late","msg":"delivery.withheld/);
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  expect(metrics).toMatch(/driftwire_deliveries_withheld_total\{.*reason="late".*\} 1/);
});

test('a name that is not resolved in all its time is a failed attempt', async () => {
  const { stack, worker } = await aWorkerAnsweredLate(
    { ANSWERED_AFTER_MS: '60000', REQUEST_TIMEOUT_MS: '500' },
    { MAX_ATTEMPTS: '1' },
  );
  const { id } = await postDelivery(stack, { endpoint: { url: byName(stack.receiver.url) } });
  const delivery = await stack.deliveryIn('failed', id);
  expect(delivery).toMatchObject({ failure_reason: 'exhausted', attempts: [{ outcome: 'timeout' }] });
  expect(worker.output()).not.toContain('delivery.withheld');
});

async function aWorkerAnsweredLate(env: Record<string, string>, apiEnv: Record<string, string> = {}) {
  const stack = await aStack({ workers: 0, env: apiEnv });
  const worker = await startWorker({
    databaseUrl: stack.database.url,
    redisUrl: stack.redis.url,
    env: { NODE_OPTIONS: preload('late-lookup'), REQUEST_TIMEOUT_MS: `${TIMEOUT_MS}`, ...env },
  });
  const database = openDatabase(stack);
  cleanups.push(database.close, worker.stop, async () => worker.signal('SIGCONT'));
  const isClaimed = async (id: string) =>
    (await database.prisma.delivery.findUniqueOrThrow({ where: { id } })).leaseExpiresAt !== null;
  return { stack, worker, isClaimed };
}

function byName(url: string): string {
  return url.replace('127.0.0.1', 'localhost');
}
