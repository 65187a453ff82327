import { type OwnRedis, ownRedis, until } from '@driftwire/testing';
import { expect, test } from '@jest/globals';
import { aWakeUp, setupQueue } from './setup-queue.js';

const JOBS = 400;
/** What the consumer asks besides, and what Redis happens to read in two. */
const A_FEW = 50;

test('jobs that end together tell Redis so in a few packets, not in one each', async () => {
  const server = await ownRedis();
  await server.start();
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
  const { producer, queue, close } = await setupQueue(run, { concurrency: JOBS, redisUrl: server.url });
  await until(() => producer.answers());
  await producer.addJobs(Array.from({ length: JOBS }, () => aWakeUp()));
  await until(() => begun === JOBS);

  const before = await packetsRead(server);
  let looks = 0;
  endAll();
  await until(async () => {
    looks += 1;
    return (await queue.getCompletedCount()) === JOBS;
  });
  expect((await packetsRead(server)) - before - looks).toBeLessThan(A_FEW);

  await close();
  await server.close();
});

async function packetsRead(server: OwnRedis): Promise<number> {
  return Number(/^total_reads_processed:(\d+)/m.exec(String(await server.run('INFO', 'stats')))?.[1]);
}
