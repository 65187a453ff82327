import { setTimeout as pause } from 'node:timers/promises';
import { createTable, type Paint } from '@driftwire/terminal';
import { withSession } from '../stack/database-session.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { refuseLosses, runDriftwire, type Scene, setScene, untilAllRecorded } from './driftwire-run.js';
import { aDriftEvent } from './load.js';
import { median } from './quantiles.js';
import { readSample, type Sample } from './soak-sample.js';

export type SoakRun = { capacity: number; perSecond: number; minutes: number; samples: Sample[] };

const WARM_UP_EVENTS = 2_000;
const CAPACITY_EVENTS = 6_000;
const SHARE_OF_CAPACITY = 0.7;
const POST_EVERY_MS = 100;
const SAMPLE_EVERY_MS = 5_000;
/** What a process takes while it warms up is no leak. */
const WARM_UP_MINUTES = 2;

/** Minutes at 70 % of capacity: what should be flat is looked at every five seconds. */
export async function measureSoak({ withBench, say, progress }: Benches, command: BenchRun): Promise<SoakRun> {
  return withBench(command, async (bench) => {
    const scene = await setScene(bench.stack, bench.receivers);
    say('the capacity');
    await runDriftwire(scene, { ...command, events: WARM_UP_EVENTS }, progress);
    const { perSecond: capacity } = await runDriftwire(scene, { ...command, events: CAPACITY_EVENTS }, progress);
    const perSecond = capacity * SHARE_OF_CAPACITY;
    say(`${perSecond.toFixed(0)} deliveries/s for ${command.minutes} minutes`);
    bench.receivers.forget();
    const over = new AbortController();
    const sampling = sample(bench, over.signal);
    const events = await postForMinutes(scene, { perSecond, minutes: command.minutes, progress });
    over.abort();
    await withSession(bench.stack.databaseUrl, untilAllRecorded);
    refuseLosses(bench.receivers, events * bench.receivers.urls.length);
    return { capacity, perSecond, minutes: command.minutes, samples: await sampling };
  });
}

async function sample(bench: Bench, over: AbortSignal): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startedAt = performance.now();
  while (!over.aborted) {
    await pause(SAMPLE_EVERY_MS, undefined, { signal: over }).catch(() => {});
    if (!over.aborted) samples.push(await readSample(bench.stack, (performance.now() - startedAt) / 60_000));
  }
  return samples;
}

/** In small batches, on time whether or not the ones before have been answered. Answers how many events. */
async function postForMinutes(
  { call, customerId, receivers }: Scene,
  { perSecond, minutes, progress }: { perSecond: number; minutes: number; progress: Benches['progress'] },
): Promise<number> {
  const perPost = Math.max(1, Math.round((perSecond * POST_EVERY_MS) / 1_000 / receivers.urls.length));
  const posts = Math.round((minutes * 60_000) / POST_EVERY_MS);
  const startedAt = performance.now();
  const posting = new Set<Promise<unknown>>();
  for (let post = 0; post < posts; post += 1) {
    const early = startedAt + post * POST_EVERY_MS - performance.now();
    if (early > 0) await pause(early);
    const events = Array.from({ length: perPost }, (_, n) => aDriftEvent(post * perPost + n));
    const request = call('POST', '/v1/drift-events/batch', { customer_id: customerId, events });
    posting.add(request);
    void request.then(() => posting.delete(request));
    progress(post + 1, posts);
  }
  await Promise.all(posting);
  return posts * perPost;
}

const COLUMNS: [string, (sample: Sample) => number, number][] = [
  ['API RSS, MiB', ({ api }) => api.residentMiB, 0],
  ['worker RSS, MiB', ({ worker }) => worker.residentMiB, 0],
  ['API event-loop delay p99, ms', ({ api }) => api.loopDelayMs, 1],
  ['worker event-loop delay p99, ms', ({ worker }) => worker.loopDelayMs, 1],
  ['API file descriptors', ({ api }) => api.descriptors, 0],
  ['worker file descriptors', ({ worker }) => worker.descriptors, 0],
  ['dead rows', ({ deadRows }) => deadRows, 0],
  ['overdue deliveries', ({ overdue }) => overdue, 0],
];

export function writeSoak(runs: readonly SoakRun[], paint: Paint): string {
  const table = createTable(['', 'FIRST >', 'LAST >', 'MOST >', 'A MINUTE >', 'GOAL'], paint);
  for (const [name, read, digits] of COLUMNS) {
    const warm = runs.map(({ samples }) => samples.filter(({ minute }) => minute >= WARM_UP_MINUTES));
    const middle = (of: (samples: Sample[]) => number) => median(warm.map(of));
    table.add([
      name,
      middle((samples) => read(samples[0] ?? NOTHING)).toFixed(digits),
      middle((samples) => read(samples.at(-1) ?? NOTHING)).toFixed(digits),
      middle((samples) => Math.max(...samples.map(read))).toFixed(digits),
      middle((samples) => slopeOf(samples, read)).toFixed(2),
      name.includes('RSS') ? '< 1 a minute' : '',
    ]);
  }
  const [run] = runs;
  return `${table.write()}\n(${run?.minutes} minutes at ${run?.perSecond.toFixed(0)} deliveries/s, the first ${WARM_UP_MINUTES} not counted)`;
}

const NOTHING: Sample = {
  minute: Number.NaN,
  api: { residentMiB: Number.NaN, loopDelayMs: Number.NaN, descriptors: Number.NaN },
  worker: { residentMiB: Number.NaN, loopDelayMs: Number.NaN, descriptors: Number.NaN },
  deadRows: Number.NaN,
  overdue: Number.NaN,
};

/** Least squares: how much it grows a minute. */
function slopeOf(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [minutes, values] = [samples.map(({ minute }) => minute), samples.map(read)];
  const [atMinute, atValue] = [mean(minutes), mean(values)];
  const covariance = minutes.reduce((sum, minute, n) => sum + (minute - atMinute) * ((values[n] ?? 0) - atValue), 0);
  return covariance / minutes.reduce((sum, minute) => sum + (minute - atMinute) ** 2, 0);
}
