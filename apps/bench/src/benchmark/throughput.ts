import { until } from '@driftwire/local-servers';
import { type Session, withSession } from '../stack/database-session.js';
import type { Stack } from '../stack/stack.js';
import { type BareGotRun, runBareGot, runTextbook, type TextbookRun, together } from './baseline-runs.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import {
  type DriftwireRun,
  type RunSize,
  runDriftwire,
  type Scene,
  setScene,
  untilAllRecorded,
  watchArrivals,
} from './driftwire-run.js';
import { flood } from './load.js';
import { tidyTables } from './past-deliveries.js';
import { readTableBytes, readWalBytes } from './storage-bytes.js';
import { countJoining, withQueue } from './waiting-deliveries.js';

export type ThroughputRun = {
  driftwire: DriftwireRun;
  textbook: TextbookRun;
  bareGot: BareGotRun;
  /** What a delivery that waits costs Redis, and a delivery with its event and its attempt Postgres. */
  redisBytesPerWaiting: number;
  postgresBytesPerDelivery: number;
  /** What it writes to Postgres's log on the way. */
  walBytesPerDelivery: number;
};

const WARM_UP_EVENTS = 1_000;
/** Twice as many in all: half of them before Driftwire and half after it, because machines change their speed meanwhile. */
const TEXTBOOK_DELIVERIES = 4_000;
const BARE_REQUESTS = 12_000;
const WAITING_DELIVERIES = 5_000;
const ENQUEUED_WITHIN_MS = 30_000;

/** The textbook worker, Driftwire, the textbook worker again and bare got on the same servers and against the same receivers. */
export function measureThroughput(benches: Benches, command: BenchRun): Promise<ThroughputRun> {
  return benches.withBench(command, (bench) => measureAll(bench, command, benches));
}

async function measureAll(
  { stack, receivers }: Bench,
  size: RunSize,
  { say, progress }: Pick<Benches, 'say' | 'progress'>,
): Promise<ThroughputRun> {
  const scene = await setScene(stack, receivers);
  say('warming up');
  await runDriftwire(scene, { ...size, events: WARM_UP_EVENTS }, progress);
  say('the textbook worker');
  const before = await runTextbook({ stack, receivers }, TEXTBOOK_DELIVERIES, progress);
  // Or autovacuum would do it at a moment of its own, within the measurement of one or the other.
  await withSession(stack.databaseUrl, tidyTables);
  const [tablesBefore, walBefore] = await readBytes(stack);
  say('Driftwire');
  const driftwire = await runDriftwire(scene, size, progress);
  const [tables, wal] = await readBytes(stack);
  say('jobs that wait');
  const redisBytesPerWaiting = await weighWaiting(scene, size);
  say('the textbook worker again');
  const after = await runTextbook({ stack, receivers }, TEXTBOOK_DELIVERIES, progress);
  say('bare got');
  const body = await withSession(stack.databaseUrl, readOneBody);
  const bareGot = await runBareGot({ receivers, body }, BARE_REQUESTS);
  return {
    driftwire,
    textbook: together(before, after),
    bareGot,
    redisBytesPerWaiting,
    postgresBytesPerDelivery: (tables - tablesBefore) / driftwire.deliveries,
    walBytesPerDelivery: (wal - walBefore) / driftwire.deliveries,
  };
}

/** Of tables with their indexes, and of the write-ahead log. */
function readBytes({ databaseUrl }: Stack): Promise<[number, number]> {
  return withSession(databaseUrl, async (session) => [await readTableBytes(session), await readWalBytes(session)]);
}

/** With the workers held, so that all wait. */
async function weighWaiting({ stack, receivers, call, customerId }: Scene, size: RunSize): Promise<number> {
  const signalWorkers = (signal: NodeJS.Signals) => {
    for (const { child } of stack.workers) child?.kill(signal);
  };
  return withQueue(stack.redisUrl, async ({ queue, readDatasetBytes }) => {
    const events = Math.ceil(WAITING_DELIVERIES / receivers.urls.length);
    const deliveries = events * receivers.urls.length;
    receivers.forget();
    signalWorkers('SIGSTOP');
    try {
      const [before, joined] = [await readDatasetBytes(), await countJoining(queue)];
      await flood(call, { ...size, events, customerId });
      const areThere = async () => (await joined()) >= deliveries;
      if (!(await until(areThere, { deadlineMs: ENQUEUED_WITHIN_MS }))) throw new Error('jobs that wait are missing');
      return ((await readDatasetBytes()) - before) / deliveries;
    } finally {
      signalWorkers('SIGCONT');
      await watchArrivals(receivers, deliveries, () => {});
      await withSession(stack.databaseUrl, untilAllRecorded);
    }
  });
}

export async function readOneBody({ query }: Session): Promise<string> {
  return (await query<{ body: string }>('SELECT body FROM drift_events LIMIT 1'))[0]?.body ?? '{}';
}
