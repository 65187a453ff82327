import { until } from '@driftwire/local-servers';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { withSession } from '../stack/database-session.js';
import type { BenchRun } from './command-line.js';
import { measureCosts } from './costs.js';
import type { DeepScene } from './deep-scene.js';
import type { DepthCost, DepthLevel, DepthTools } from './depth.js';
import { refuseLosses, untilAllRecorded, watchArrivals } from './driftwire-run.js';
import { flood } from './load.js';
import { datasetBytes } from './storage-bytes.js';

export type Backlog = {
  level: DepthLevel;
  /** With all of them waiting. */
  redisBytesPerJob: number;
  /** How fast so many jobs come in while nobody takes any, and how fast they are worked off. */
  enqueuedPerSecond: number;
  drainedPerSecond: number;
};

const CHUNK_EVENTS = 2_500;
/** Jobs that may be on their way from the API to Redis; it has room for 100,000. */
const HELD_BY_THE_API = 30_000;
const SETTLED_WITHIN_MS = 60_000;

/**
 * Jobs wait because the queue is paused, as an operator would do it; then deliveries are made behind them while new ones come
 * in, and at the end all of them are worked off and counted.
 */
export async function measureBacklog(
  { stack, receivers, call, customerId, ...scene }: DeepScene,
  command: BenchRun,
  { say, progress, timeLists, takeTurns }: DepthTools,
): Promise<Backlog> {
  const jobs = Math.ceil(command.waiting / receivers.urls.length) * receivers.urls.length;
  const level = `${jobs.toLocaleString('en')} waiting jobs`;
  return withQueue(stack.redisUrl, async ({ queue, readDatasetBytes }) => {
    const settled = async (isSo: () => Promise<boolean>) => {
      if (!(await until(isSo, { deadlineMs: SETTLED_WITHIN_MS }))) {
        const { waiting, active } = await queue.getJobCounts('waiting', 'active');
        throw new Error(`the queue did not settle within a minute: ${waiting} of ${jobs} jobs wait, ${active} run`);
      }
    };
    receivers.forget();
    await queue.pause();
    const bytesBefore = await readDatasetBytes();
    say(level);
    const startedAt = performance.now();
    for (let added = 0; added * receivers.urls.length < jobs; added += CHUNK_EVENTS) {
      const events = Math.min(CHUNK_EVENTS, jobs / receivers.urls.length - added);
      await flood(call, { ...command, customerId, events });
      const accepted = (added + events) * receivers.urls.length;
      progress(accepted, jobs);
      // Accepts do not wait for Redis: what an API cannot keep in memory until Redis takes it would be left to the sweeper.
      await settled(async () => (await queue.getWaitingCount()) >= Math.min(accepted - HELD_BY_THE_API, jobs));
    }
    await settled(async () => (await queue.getWaitingCount()) >= jobs);
    const enqueuedPerSecond = (jobs * 1_000) / (performance.now() - startedAt);
    const redisBytesPerJob = ((await readDatasetBytes()) - bytesBefore) / jobs;

    const lists = await timeLists({ stack, receivers, call, customerId, ...scene }, level, 'pending');
    const perTurn = command.events * receivers.urls.length;
    const turns = await takeTurns(level, async (): Promise<DepthCost> => {
      const before = receivers.arrivals.length;
      const { costs } = await measureCosts(stack, async () => {
        await queue.resume();
        const watching = watchArrivals(receivers, before + perTurn, (arrived) => progress(arrived - before, perTurn));
        await flood(call, { ...command, customerId });
        await watching;
        await queue.pause();
        await settled(async () => (await queue.getActiveCount()) === 0);
      });
      return { deliveries: receivers.arrivals.length - before, costs };
    });

    say(`working off ${level}`);
    const expected = jobs + turns.length * perTurn;
    const worked = { from: receivers.arrivals.length, at: performance.now() };
    await queue.resume();
    await watchArrivals(receivers, expected, progress);
    const drainedPerSecond = ((expected - worked.from) * 1_000) / (performance.now() - worked.at);
    await withSession(stack.databaseUrl, untilAllRecorded);
    refuseLosses(receivers, expected);
    return { level: { name: level, turns, lists }, redisBytesPerJob, enqueuedPerSecond, drainedPerSecond };
  });
}

type OpenQueue = { queue: Queue; readDatasetBytes: () => Promise<number> };

async function withQueue<T>(redisUrl: string, use: (open: OpenQueue) => Promise<T>): Promise<T> {
  const connection = new Redis(redisUrl);
  const queue = new Queue('deliveries', { connection, prefix: 'driftwire' });
  try {
    return await use({ queue, readDatasetBytes: async () => datasetBytes(await connection.info('memory')) });
  } finally {
    await queue.close();
    connection.disconnect();
  }
}
