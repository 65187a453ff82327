import { createTable, type Paint } from '@driftwire/terminal';
import { withSession } from '../stack/database-session.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { latencyOf, refuseLosses, runDriftwire, type Scene, setScene, untilAllRecorded } from './driftwire-run.js';
import { median, type Percentiles, percentilesOf } from './quantiles.js';
import { postSteadily } from './steady-load.js';

export type LatencyRow = {
  rate: string;
  /** Deliveries a second, as they were. */
  perSecond: number;
  /** From the request to its 202, and to the arrival at a receiver; milliseconds. */
  accepted: Percentiles;
  received: Percentiles;
};

export type LatencyRun = { capacity: number; rows: LatencyRow[] };

const WARM_UP_EVENTS = 2_000;
const CAPACITY_EVENTS = 6_000;
/** Of the same traffic, until the percentiles hold still: Node compiles as it goes. */
const WARM_UP_S = 12;
const MEASURED_S = 20;
const SHARE_OF_CAPACITY = 0.3;

/** Single events at fixed rates, posted on time whether or not the ones before have been answered. */
export async function measureLatency({ withBench, say, progress }: Benches, command: BenchRun): Promise<LatencyRun> {
  return withBench(command, async (bench) => {
    const scene = await setScene(bench.stack, bench.receivers);
    say('warming up');
    await runDriftwire(scene, { ...command, events: WARM_UP_EVENTS }, progress);
    say('the capacity');
    const { perSecond: capacity } = await runDriftwire(scene, { ...command, events: CAPACITY_EVENTS }, progress);
    const rows: LatencyRow[] = [];
    for (const [rate, perSecond] of ratesOf(capacity)) {
      say(`${rate} deliveries/s`);
      rows.push(await measureRate(bench, scene, { rate, perSecond, progress }));
    }
    return { capacity, rows };
  });
}

function ratesOf(capacity: number): [string, number][] {
  const share = Math.round(capacity * SHARE_OF_CAPACITY);
  return [
    ['10', 10],
    ['100', 100],
    [`30 % of capacity (${share})`, share],
  ];
}

type Rate = { rate: string; perSecond: number; progress: Benches['progress'] };

async function measureRate(bench: Bench, scene: Scene, { rate, perSecond, progress }: Rate): Promise<LatencyRow> {
  const eventsPerSecond = perSecond / bench.receivers.urls.length;
  await postSteadily(scene.call, [scene.customerId], { perSecond: eventsPerSecond, seconds: WARM_UP_S });
  await settled(bench);
  bench.receivers.forget();
  const startedAt = performance.now();
  const pace = { perSecond: eventsPerSecond, seconds: MEASURED_S, progress };
  const posted = await postSteadily(scene.call, [scene.customerId], pace);
  const seconds = (performance.now() - startedAt) / 1_000;
  await settled(bench);
  const expected = posted.length * bench.receivers.urls.length;
  refuseLosses(bench.receivers, expected);
  const accepted = percentilesOf(posted.map(({ postedAt, acceptedAt }) => acceptedAt - postedAt));
  return { rate, perSecond: expected / seconds, accepted, received: latencyOf(posted, bench.receivers) };
}

function settled({ stack }: Bench): Promise<void> {
  return withSession(stack.databaseUrl, untilAllRecorded);
}

export function writeLatency(runs: readonly LatencyRun[], paint: Paint): string {
  const table = createTable(
    ['DELIVERIES/S', 'MEASURED >', '202 p50 >', 'p99 >', 'RECEIPT p50 >', 'p95 >', 'p99 >', 'GOAL'],
    paint,
  );
  for (const [index, { rate }] of (runs[0]?.rows ?? []).entries()) {
    const middle = (read: (row: LatencyRow) => number) =>
      median(runs.flatMap(({ rows }) => (rows[index] ? [read(rows[index])] : [])));
    table.add([
      rate,
      middle((row) => row.perSecond).toFixed(0),
      ms(middle((row) => row.accepted.p50)),
      ms(middle((row) => row.accepted.p99)),
      ms(middle((row) => row.received.p50)),
      ms(middle((row) => row.received.p95)),
      ms(middle((row) => row.received.p99)),
      rate.startsWith('30 %') ? 'p50 ≤ 5 ms, p99 ≤ 30 ms' : '',
    ]);
  }
  const note = runs.length === 1 ? '' : `\n(medians of ${runs.length} runs)`;
  return `${table.write()}\nCapacity: ${median(runs.map(({ capacity }) => capacity)).toFixed(0)} deliveries/s${note}`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
