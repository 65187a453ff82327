import { cpus } from 'node:os';
import { createTable, type Paint } from '@driftwire/terminal';
import type { Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { type DriftwireRun, runDriftwire, setScene } from './driftwire-run.js';
import { median } from './quantiles.js';

export type ScaleRow = {
  workers: number;
  perSecond: number;
  /** Of all processors, everything counted: 1 is all of them. */
  cpuShare: number;
};
export type ScaleRun = { rows: ScaleRow[] };

const WORKERS = [1, 2, 4, 8];
/** So few, and receivers so slow, that waiting is what bounds a worker, and not the processors they all share here. */
const WORKER_CONCURRENCY = 12;
const RECEIVER_MS = 100;
const SECONDS = 20;
const WARM_UP_SHARE = 0.2;

/** More workers, more deliveries, as long as there are processors. */
export async function measureScale({ withBench, say, progress }: Benches, command: BenchRun): Promise<ScaleRun> {
  const rows: ScaleRow[] = [];
  for (const workers of WORKERS) {
    say(`${workers} worker${workers === 1 ? '' : 's'}`);
    const env = { WORKER_CONCURRENCY: `${WORKER_CONCURRENCY}` };
    const size = { workers, receivers: command.receivers, delayMs: RECEIVER_MS, env };
    const run = await withBench(size, async ({ stack, receivers }) => {
      const scene = await setScene(stack, receivers);
      const fullSpeed = (workers * WORKER_CONCURRENCY * 1_000) / RECEIVER_MS / receivers.urls.length;
      const events = Math.round(fullSpeed * SECONDS);
      await runDriftwire(scene, { ...command, events: Math.round(events * WARM_UP_SHARE) }, progress);
      return runDriftwire(scene, { ...command, events }, progress);
    });
    rows.push({ workers, perSecond: run.perSecond, cpuShare: cpuShareOf(run) });
  }
  return { rows };
}

function cpuShareOf({ costs, outsideCpuMs, seconds }: DriftwireRun): number {
  const cpuMs = Object.values(costs).reduce((sum, cost) => sum + cost.cpuMs, outsideCpuMs);
  return cpuMs / (seconds * 1_000 * cpus().length);
}

export function writeScale(runs: readonly ScaleRun[], paint: Paint): string {
  const table = createTable(['WORKERS >', 'DELIVERIES/S >', 'PER WORKER >', '× ONE >', 'CPU >', 'GOAL'], paint);
  const middle = (workers: number, read: (row: ScaleRow) => number) =>
    median(runs.flatMap(({ rows }) => rows.filter((row) => row.workers === workers).map(read)));
  const one = middle(1, ({ perSecond }) => perSecond);
  for (const workers of WORKERS) {
    const perSecond = middle(workers, (row) => row.perSecond);
    table.add([
      `${workers}`,
      perSecond.toFixed(0),
      (perSecond / workers).toFixed(1),
      (perSecond / one).toFixed(2),
      `${(100 * middle(workers, (row) => row.cpuShare)).toFixed(0)} %`,
      workers === 4 ? '≥ 3.6 × one, CPU below 70 %' : '',
    ]);
  }
  const bound = (WORKER_CONCURRENCY * 1_000) / RECEIVER_MS;
  return `${table.write()}\n(receivers take ${RECEIVER_MS} ms, WORKER_CONCURRENCY=${WORKER_CONCURRENCY}: a worker can deliver ${bound}/s at most)`;
}
