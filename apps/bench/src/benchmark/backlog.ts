import { until } from '@driftwire/local-servers';
import type { Queue } from 'bullmq';
import { withSession } from '../stack/database-session.js';
import type { BenchRun } from './command-line.js';
import { measureCosts } from './costs.js';
import type { DeepScene } from './deep-scene.js';
import type { DepthCost, DepthLevel, DepthTools } from './depth.js';
import { refuseLosses, untilAllRecorded, watchArrivals } from './driftwire-run.js';
import { flood } from './load.js';
import { countJoining, withQueue } from './waiting-deliveries.js';

export type Backlog = {
  level: DepthLevel;
  /** With all of them waiting. */
  redisBytesPerWaiting: number;
  /** How fast so many come in while nobody takes any, and how fast they are worked off. */
  enqueuedPerSecond: number;
  drainedPerSecond: number;
};

const CHUNK_EVENTS = 2_500;
/** Deliveries that may be on their way from the API to Redis; it has room for 100,000. */
const HELD_BY_THE_API = 30_000;
const SETTLED_WITHIN_MS = 60_000;

/**
 * Deliveries wait because the queue is paused, as an operator would do it; then deliveries are made behind them while new ones come
 * in, and at the end all of them are worked off and counted.
 */
export async function measureBacklog(
  scene: DeepScene,
  command: BenchRun,
  { say, progress, timeLists, takeTurns }: DepthTools,
): Promise<Backlog> {
  const { stack, receivers } = scene;
  const deliveries = Math.ceil(command.waiting / receivers.urls.length) * receivers.urls.length;
  const name = `${deliveries.toLocaleString('en')} waiting deliveries`;
  return withQueue(stack.redisUrl, async ({ queue, readDatasetBytes }) => {
    receivers.forget();
    await queue.pause();
    say(name);
    const [bytesBefore, enqueuing] = [await readDatasetBytes(), stopwatch()];
    await fillQueue(queue, scene, { deliveries, command, progress });
    const enqueuedPerSecond = deliveries / enqueuing();
    const redisBytesPerWaiting = ((await readDatasetBytes()) - bytesBefore) / deliveries;

    const lists = await timeLists(scene, name, 'pending');
    const turns = await takeTurns(name, () => deliverBehind(queue, scene, { command, progress }));

    say(`working off ${name}`);
    const expected = deliveries + turns.length * command.events * receivers.urls.length;
    const [arrived, draining] = [receivers.arrivals.length, stopwatch()];
    await queue.resume();
    await watchArrivals(receivers, expected, progress);
    const drainedPerSecond = (expected - arrived) / draining();
    await withSession(stack.databaseUrl, untilAllRecorded);
    refuseLosses(receivers, expected);
    return { level: { name, turns, lists }, redisBytesPerWaiting, enqueuedPerSecond, drainedPerSecond };
  });
}

type Work = { command: BenchRun; progress: DepthTools['progress'] };

async function fillQueue(
  queue: Queue,
  { receivers, call, customerId }: DeepScene,
  { deliveries, command, progress }: Work & { deliveries: number },
): Promise<void> {
  const perEvent = receivers.urls.length;
  const joined = await countJoining(queue);
  for (let accepted = 0; accepted < deliveries; ) {
    const events = Math.min(CHUNK_EVENTS, (deliveries - accepted) / perEvent);
    await flood(call, { ...command, customerId, events });
    accepted += events * perEvent;
    progress(accepted, deliveries);
    // Accepts do not wait for Redis: what an API cannot keep in memory until Redis takes it would be left to the sweeper.
    await settled(async () => (await joined()) >= accepted - HELD_BY_THE_API);
  }
  await settled(async () => (await joined()) >= deliveries);
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
    await settled(async () => (await queue.getActiveCount()) === 0);
  });
  return { deliveries: receivers.arrivals.length - before, costs };
}

async function settled(isSo: () => Promise<boolean>): Promise<void> {
  if (!(await until(isSo, { deadlineMs: SETTLED_WITHIN_MS })))
    throw new Error('the queue did not settle within a minute');
}

/** Seconds since it was made. */
function stopwatch(): () => number {
  const startedAt = performance.now();
  return () => (performance.now() - startedAt) / 1_000;
}
