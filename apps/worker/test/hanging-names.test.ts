import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorker, until } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import { aStack, cleanUp, cleanups } from './own-stacks.js';
import { preload } from './preloads.js';

afterAll(cleanUp, 60_000);

const HANGING = 100;
const HEALTHY = 10;

test('a hundred deliveries to a name whose server does not answer, on four threads: a neighbour gets all ten at once', async () => {
  const { stack, worker } = await aWorkerOnFourThreads();
  const { customerId, endpoint } = await stack.customerWithEndpoint({
    url: stack.receiver.url.replace('127.0.0.1', 'a.hangs.test'),
  });
  await Promise.all(Array.from({ length: HANGING }, () => stack.postEvent(customerId)));
  await until(() => worker.output().includes('lookup.begun'));

  const healthy = await stack.customerWithEndpoint({ url: stack.receiver.url.replace('127.0.0.1', 'localhost') });
  const events = await Promise.all(Array.from({ length: HEALTHY }, () => stack.postEvent(healthy.customerId)));
  await until(() => stack.receiver.requests.length === HEALTHY, { deadlineMs: 8_000 });
  const waiting = await stack.api.get(`/v1/deliveries?endpoint_id=${endpoint.id}&status=pending&limit=${HANGING}`);
  expect(waiting.body.data).toHaveLength(HANGING);
  for (const { deliveries } of events) {
    const { attempts } = await stack.deliveryIn('success', deliveries[0].id);
    expect(attempts).toMatchObject([{ number: 1, outcome: 'response', response_code: 200 }]);
  }

  expect(lookupsBegun(worker.output())).toBe(1);
  await until(() => /"reason":"no_lookup","msg":"delivery.withheld/.test(worker.output()), { deadlineMs: 20_000 });
});

test('a worker with too few threads for its lookups says so', async () => {
  const { worker } = await aWorkerOnFourThreads();
  expect(worker.output()).toMatch(/"threads":4,"needed":116,"msg":"worker.few_threads/);
});

/** With everything else as it is by default. */
async function aWorkerOnFourThreads() {
  const stack = await aStack({ workers: 0 });
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-names-'));
  const pipe = join(directory, 'hanging-until');
  execFileSync('mkfifo', [pipe]);
  const worker = await startWorker({
    databaseUrl: stack.database.url,
    redisUrl: stack.redis.url,
    env: { NODE_OPTIONS: preload('hanging-lookups'), HANGING_UNTIL: pipe, REQUEST_TIMEOUT_MS: '15000' },
  });
  cleanups.push(async () => {
    // A process does not exit while one of its threads is held.
    const answering = openSync(pipe, constants.O_RDWR);
    await worker.stop();
    closeSync(answering);
    rmSync(directory, { recursive: true });
  });
  return { stack, worker };
}

function lookupsBegun(output: string): number {
  return output.split('lookup.begun').length - 1;
}
