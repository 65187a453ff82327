import { type Stack, startWorker, type TestProcess, until } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { header, type PostedDelivery, postDelivery } from './delivery.js';
import { aStack, cleanUp, cleanups } from './own-stacks.js';
import { preload } from './preloads.js';

afterAll(cleanUp, 60_000);

const TEN_MINUTES_MS = 600_000;
const RETRY_AFTER_MS = 60_000;
/** What a busy machine may take between two looks at a clock; ten minutes are far more. */
const SLACK_MS = 10_000;

const SKEWED = /"skew_ms":(-?\d+),"msg":"clock.skewed/g;

test.each([
  ['ahead', TEN_MINUTES_MS, 'from the start'],
  ['behind', -TEN_MINUTES_MS, 'from the start'],
  ['ahead, set while it runs', TEN_MINUTES_MS, 'on SIGUSR2'],
  ['behind, set while it runs', -TEN_MINUTES_MS, 'on SIGUSR2'],
])(
  'a worker whose clock is ten minutes %s: signatures verify, times and waits are right, and the skew is said once',
  async (_, shiftMs, shifts) => {
    const { stack, worker } = await aWorkerWithClock(shiftMs, shifts);
    if (shifts === 'on SIGUSR2') {
      await deliverRightly(stack);
      worker.signal('SIGUSR2');
      await until(async () => {
        await deliverRightly(stack);
        return skewsSaid(worker).length > 0;
      });
    }
    await deliverRightly(stack);
    await deliverRightly(stack);
    expect(skewsSaid(worker)).toHaveLength(1);
    expect(Math.abs((skewsSaid(worker)[0] ?? 0) - shiftMs)).toBeLessThan(SLACK_MS);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    const [, seconds] = /^driftwire_clock_skew_seconds\{.*\} (\S+)$/m.exec(metrics) ?? [];
    expect(Math.abs(Number(seconds) * 1_000 - shiftMs)).toBeLessThan(SLACK_MS);
    await waitsUntilTheDateItIsGiven(stack);
  },
);

/** Verified as a receiver does, with a clock that is right. */
async function deliverRightly(stack: Stack): Promise<void> {
  const before = Date.now();
  const posted = await postDelivery(stack);
  const { attempts } = await stack.deliveryIn('success', posted.id);
  expectSigned(posted);
  const startedAt = Date.parse(attempts[0].started_at);
  expect(startedAt).toBeGreaterThanOrEqual(before - 100);
  expect(startedAt).toBeLessThanOrEqual(Date.now() + 100);
}

async function waitsUntilTheDateItIsGiven(stack: Stack): Promise<void> {
  const until = new Date(Date.now() + RETRY_AFTER_MS).toUTCString();
  const posted = await postDelivery(stack, { replies: { status: 503, headers: { 'Retry-After': until } } });
  const { next_attempt_at: nextAttemptAt } = await stack.deliveryIn('retrying', posted.id);
  expect(Math.abs(Date.parse(nextAttemptAt) - Date.parse(until))).toBeLessThan(SLACK_MS);
}

function expectSigned({ endpoint, requests }: PostedDelivery): void {
  const [request] = requests();
  if (request === undefined) throw new Error('no request');
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers = Object.fromEntries(names.map((name) => [name, header(request, name)]));
  new Webhook(endpoint.secret).verify(request.body, headers, { jsonParse: false });
  expect(Math.abs(Number(headers['webhook-timestamp']) * 1_000 - request.at)).toBeLessThan(SLACK_MS);
}

function skewsSaid(worker: TestProcess): number[] {
  return [...worker.output().matchAll(SKEWED)].map(([, skewMs]) => Number(skewMs));
}

async function aWorkerWithClock(shiftMs: number, shifts: string) {
  const stack = await aStack({ workers: 0 });
  const env = { NODE_OPTIONS: preload('shifted-clock'), CLOCK_SHIFT_MS: `${shiftMs}`, CLOCK_SHIFTS: shifts };
  const worker = await startWorker({ databaseUrl: stack.database.url, redisUrl: stack.redis.url, env });
  cleanups.push(worker.stop);
  return { stack, worker };
}
