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
  scene: DeepScene,
  command: BenchRun,
  { say, progress, timeLists, takeTurns }: DepthTools,
): Promise<Backlog> {
  const { stack, receivers } = scene;
  const jobs = Math.ceil(command.waiting / receivers.urls.length) * receivers.urls.length;
  const name = `${jobs.toLocaleString('en')} waiting jobs`;
  return withQueue(stack.redisUrl, async ({ queue, readDatasetBytes }) => {
    receivers.forget();
    await queue.pause();
    say(name);
    const [bytesBefore, enqueuing] = [await readDatasetBytes(), stopwatch()];
    await fillQueue(queue, scene, { jobs, command, progress });
    const enqueuedPerSecond = jobs / enqueuing();
    const redisBytesPerJob = ((await readDatasetBytes()) - bytesBefore) / jobs;

    const lists = await timeLists(scene, name, 'pending');
    const turns = await takeTurns(name, () => deliverBehind(queue, scene, { command, progress }));

    say(`working off ${name}`);
    const expected = jobs + turns.length * command.events * receivers.urls.length;
    const [arrived, draining] = [receivers.arrivals.length, stopwatch()];
    await queue.resume();
    await watchArrivals(receivers, expected, progress);
    const drainedPerSecond = (expected - arrived) / draining();
    await withSession(stack.databaseUrl, untilAllRecorded);
    refuseLosses(receivers, expected);
    return { level: { name, turns, lists }, redisBytesPerJob, enqueuedPerSecond, drainedPerSecond };
  });
}

type Work = { command: BenchRun; progress: DepthTools['progress'] };

async function fillQueue(
  queue: Queue,
  { receivers, call, customerId }: DeepScene,
  { jobs, command, progress }: Work & { jobs: number },
): Promise<void> {
  const perEvent = receivers.urls.length;
  for (let accepted = 0; accepted < jobs; ) {
    const events = Math.min(CHUNK_EVENTS, (jobs - accepted) / perEvent);
    await flood(call, { ...command, customerId, events });
    accepted += events * perEvent;
    progress(accepted, jobs);
    // Accepts do not wait for Redis: what an API cannot keep in memory until Redis takes it would be left to the sweeper.
    await settled(queue, ({ waiting }) => waiting >= accepted - HELD_BY_THE_API);
  }
  await settled(queue, ({ waiting }) => waiting >= jobs);
}

/** As many deliveries as are posted meanwhile, from the front of the queue. */
async function deliverBehind(
  queue: Queue,
  { stack, receivers, call, customerId }: DeepScene,
  { command, progress }: Work,
): Promise<DepthCost> {
  const before = receivers.arrivals.length;
  const wanted = command.events * receivers.urls.length;
  const { costs } = await measureCosts(stack, async () => {
    await queue.resume();
    const watching = watchArrivals(receivers, before + wanted, (arrived) => progress(arrived - before, wanted));
    await flood(call, { ...command, customerId });
    await watching;
    await queue.pause();
    await settled(queue, ({ active }) => active === 0);
  });
  return { deliveries: receivers.arrivals.length - before, costs };
}

type Counts = { waiting: number; active: number };

async function settled(queue: Queue, isSo: (counts: Counts) => boolean): Promise<void> {
  let counts: Counts = { waiting: 0, active: 0 };
  const look = async () => {
    counts = { waiting: await queue.getWaitingCount(), active: await queue.getActiveCount() };
    return isSo(counts);
  };
  if (await until(look, { deadlineMs: SETTLED_WITHIN_MS })) return;
  throw new Error(`the queue did not settle within a minute: ${counts.waiting} jobs wait, ${counts.active} run`);
}

/** Seconds since it was made. */
function stopwatch(): () => number {
  const startedAt = performance.now();
  return () => (performance.now() - startedAt) / 1_000;
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
