import { setTimeout as pause } from 'node:timers/promises';
import { createTable, type Paint } from '@driftwire/terminal';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { postSteadily } from './latency.js';
import { type Call, flood, openApi, type Posted } from './load.js';
import { median, type Percentiles, percentilesOf } from './quantiles.js';
import { type Receivers, startReceivers } from './receivers.js';

/** What happens beside ten customers that get 40 events/s together, and what it may do to them. */
type Scene = {
  name: string;
  events: number;
  receivers: number;
  /** Infinity: they never answer. */
  delayMs: number;
  limit: Limit;
};

type Limit = { text: string; p99Ms: (alone: Percentiles) => number };

/** Of the healthy ones, from the request to the arrival; what did not arrive took for ever. */
export type IsolationRow = { name: string; alone: Percentiles; beside: Percentiles; arrived: number; expected: number };
export type IsolationRun = { rows: IsolationRow[] };

const AS_IF_NOTHING: Limit = {
  text: 'p99 2 ×, or 50 ms more',
  p99Ms: ({ p99 }) => Math.max(2 * p99, p99 + 50),
};
const HALF_A_SECOND: Limit = { text: 'p99 500 ms', p99Ms: () => 500 };
const SCENES: readonly Scene[] = [
  { name: '10,000 for one that takes 300 ms', events: 10_000, receivers: 1, delayMs: 300, limit: AS_IF_NOTHING },
  { name: '20,000 for one that answers at once', events: 20_000, receivers: 1, delayMs: 0, limit: HALF_A_SECOND },
  { name: '3,000 for one that never answers', events: 3_000, receivers: 1, delayMs: Infinity, limit: AS_IF_NOTHING },
  { name: '3,000 for thirty that never answer', events: 3_000, receivers: 30, delayMs: Infinity, limit: AS_IF_NOTHING },
];
const HEALTHY = 10;
const PER_SECOND = 4;
const WARM_UP_S = 10;
const MEASURED_S = 20;
/** For those that are still under way when the last was posted. */
const PATIENCE_MS = 15_000;
const FLOOD = { perRequest: 500, requestsAtOnce: 4 };

/** How others fare beside bad receivers and floods, each on a stack of its own, beside the same load alone. */
export async function measureIsolation(
  { withBench, say, progress }: Benches,
  command: BenchRun,
): Promise<IsolationRun> {
  const rows: IsolationRow[] = [];
  for (const scene of SCENES) {
    const bad = await startReceivers(scene.receivers, { delayMs: scene.delayMs });
    const size = { workers: command.workers, receivers: 1 };
    const row = await withBench(size, (bench) => measureScene(bench, { scene, bad, say, progress })).finally(bad.close);
    rows.push(row);
  }
  return { rows };
}

type Watched = Pick<Benches, 'say' | 'progress'> & { scene: Scene; bad: Receivers };

async function measureScene({ stack, receivers }: Bench, watched: Watched): Promise<IsolationRow> {
  const { scene, bad, say, progress } = watched;
  const call = openApi({ url: stack.apiUrls[0] ?? '', key: stack.adminKey });
  const healthy = await addCustomers(call, Array<string>(HEALTHY).fill(receivers.urls[0] ?? ''));
  const flooded = await addCustomers(call, bad.urls);
  say('warming up');
  await measureHealthy(receivers, () => postToAll(call, healthy, WARM_UP_S, () => {}));
  say('the healthy alone');
  const alone = await measureHealthy(receivers, () => postToAll(call, healthy, MEASURED_S, progress));
  say(scene.name);
  const flooding = Promise.all(
    flooded.map((customerId) => flood(call, { ...FLOOD, customerId, events: scene.events / flooded.length })),
  );
  const beside = await measureHealthy(receivers, () => postToAll(call, healthy, MEASURED_S, progress));
  await flooding;
  const { latencies, ...counts } = beside;
  return { name: scene.name, alone: percentilesOf(alone.latencies), beside: percentilesOf(latencies), ...counts };
}

/** Each with an endpoint at its URL. */
function addCustomers(call: Call, urls: readonly string[]): Promise<string[]> {
  return Promise.all(
    urls.map(async (url, index) => {
      const { id } = (await call('POST', '/v1/customers', { name: `customer ${index + 1}` })) as { id: string };
      await call('POST', '/v1/endpoints', { customer_id: id, name: 'receiver', url });
      return id;
    }),
  );
}

/** In turn, at the same distance from each other. */
async function postToAll(
  call: Call,
  customerIds: readonly string[],
  seconds: number,
  progress: Benches['progress'],
): Promise<Posted[]> {
  const posted = await Promise.all(
    customerIds.map(async (customerId, index) => {
      await pause((index * 1_000) / PER_SECOND / customerIds.length);
      const watch = index === 0 ? progress : () => {};
      return postSteadily({ call, customerId }, { eventsPerSecond: PER_SECOND, seconds, progress: watch });
    }),
  );
  return posted.flat();
}

async function measureHealthy(receivers: Receivers, post: () => Promise<Posted[]>) {
  receivers.forget();
  const posted = await post();
  const givenUpAt = performance.now() + PATIENCE_MS;
  let latencies = latenciesOf(posted, receivers);
  while (latencies.includes(Infinity) && performance.now() < givenUpAt) {
    await pause(50);
    latencies = latenciesOf(posted, receivers);
  }
  return { latencies, expected: posted.length, arrived: latencies.filter(Number.isFinite).length };
}

function latenciesOf(posted: readonly Posted[], { arrivals }: Receivers): number[] {
  const arrivedAt = new Map(arrivals.map(({ eventId, at }) => [eventId, at]));
  return posted.map(({ eventId, postedAt }) => (arrivedAt.get(eventId) ?? Infinity) - postedAt);
}

export function writeIsolation(runs: readonly IsolationRun[], paint: Paint): string {
  const table = createTable(
    ['BESIDE THEM', 'ALONE p50, p99 ms >', 'BESIDE p50 ms >', 'p99 ms >', 'ARRIVED >', 'SHOULD BE', ''],
    paint,
  );
  for (const { name, limit } of SCENES) {
    const rows = runs.flatMap((run) => run.rows.filter((row) => row.name === name));
    const middle = (read: (row: IsolationRow) => number) => median(rows.map(read));
    const holds = middle(({ alone, beside }) => beside.p99 - limit.p99Ms(alone)) <= 0;
    table.add([
      name,
      `${ms(middle((row) => row.alone.p50))}, ${ms(middle((row) => row.alone.p99))}`,
      ms(middle((row) => row.beside.p50)),
      ms(middle((row) => row.beside.p99)),
      `${middle((row) => row.arrived)} of ${middle((row) => row.expected)}`,
      limit.text,
      holds ? 'holds' : 'no',
    ]);
  }
  const note = runs.length === 1 ? '' : `\n(medians of ${runs.length} runs)`;
  return `request to arrival of ${HEALTHY} customers, ${HEALTHY * PER_SECOND} events/s together\n\n${table.write()}${note}`;
}

function ms(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : 'never';
}
