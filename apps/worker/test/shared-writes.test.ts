import { type OwnRedis, ownRedis, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aWakeUp, setupQueue } from './setup-queue.js';

let server: OwnRedis;
let close = async () => {};
beforeEach(async () => {
  server = await ownRedis();
  await server.start();
});
afterEach(async () => {
  await close();
  await server.close();
});

const JOBS = 400;
/** What the consumer asks besides, and what Redis happens to read in two. */
const A_FEW = 50;

test('jobs that end together tell Redis so in a few packets, not in one each', async () => {
  let begun = 0;
  let endAll = () => {};
  const allMayEnd = new Promise<void>((resolve) => {
    endAll = resolve;
  });
  const run = async () => {
    begun += 1;
    await allMayEnd;
    return { kind: 'done' } as const;
  };
  // Some places are kept from endpoints of which nothing is known.
  const concurrency = 1.2 * JOBS;
  const { producer, queue, ...started } = await setupQueue(run, { concurrency, redisUrl: server.url });
  close = started.close;
  await until(() => producer.answers());
  await producer.addJobs(Array.from({ length: JOBS }, () => aWakeUp()));
  await until(() => begun === JOBS);

  const before = await packetsRead();
  let looks = 0;
  endAll();
  await until(async () => {
    looks += 1;
    return (await queue.getCompletedCount()) === JOBS;
  });
  expect((await packetsRead()) - before - looks).toBeLessThan(A_FEW);
});

async function packetsRead(): Promise<number> {
  return Number(/^total_reads_processed:(\d+)/m.exec(String(await server.run('INFO', 'stats')))?.[1]);
}
