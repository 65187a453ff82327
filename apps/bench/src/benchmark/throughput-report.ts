import { createTable, type Paint } from '@driftwire/terminal';
import { median } from './quantiles.js';
import type { ThroughputRun } from './throughput.js';

/** The figures a run is judged by. */
export type Ratios = {
  /** Deliveries a second, Driftwire's by the textbook's. */
  throughput: number;
  /** Deliveries per second of processor time of everything that is not receiver or load, Driftwire's by the textbook's. */
  perCpuSecond: number;
  /** Processor time of the workers per delivery, Driftwire's by that of bare got. */
  workerCpu: number;
};

export const GOALS = { throughput: '≥ 6', perCpuSecond: '≥ 5', workerCpu: '≤ 1.5' } as const;

export function ratiosOf({ driftwire, textbook, bareGot }: ThroughputRun): Ratios {
  return {
    throughput: driftwire.perSecond / textbook.perSecond,
    perCpuSecond: deliveriesPerCpuSecond(driftwire) / textbookPerCpuSecond(textbook),
    workerCpu: driftwire.costs.worker.cpuMs / driftwire.deliveries / bareGot.cpuMsPerRequest,
  };
}

export function deliveriesPerCpuSecond({ deliveries, costs }: ThroughputRun['driftwire']): number {
  const cpuMs = Object.values(costs).reduce((sum, cost) => sum + cost.cpuMs, 0);
  return deliveries / (cpuMs / 1_000);
}

function textbookPerCpuSecond({ deliveries, cpuMs }: ThroughputRun['textbook']): number {
  return deliveries / ((cpuMs.worker + cpuMs.postgres + cpuMs.redis) / 1_000);
}

/** One column per run, and the medians when there are several. */
export function writeThroughput(runs: readonly ThroughputRun[], paint: Paint): string {
  const columns = runs.map((_, index) => (runs.length === 1 ? 'RESULT >' : `RUN ${index + 1} >`));
  const table = createTable(['', ...columns, ...(runs.length === 1 ? [] : ['MEDIAN >']), 'GOAL >'], paint);
  const row = (name: string, read: (run: ThroughputRun) => number, digits = 0, goal = '') => {
    const values = runs.map(read);
    const shown = runs.length === 1 ? values : [...values, median(values)];
    table.add([name, ...shown.map((value) => value.toFixed(digits)), goal]);
  };
  row('Driftwire, deliveries/s', ({ driftwire }) => driftwire.perSecond);
  row('  event to receipt p50, ms', ({ driftwire }) => driftwire.latencyMs.p50);
  row('  p95', ({ driftwire }) => driftwire.latencyMs.p95);
  row('  p99', ({ driftwire }) => driftwire.latencyMs.p99);
  for (const kind of ['worker', 'api', 'postgres', 'redis'] as const) {
    row(`  ${kind} CPU per delivery, ms`, ({ driftwire: { costs, deliveries } }) => costs[kind].cpuMs / deliveries, 3);
  }
  row('  receivers and load, ms', ({ driftwire: { outsideCpuMs, deliveries } }) => outsideCpuMs / deliveries, 3);
  for (const kind of ['worker', 'api'] as const) {
    row(`  ${kind} RSS, MiB`, ({ driftwire }) => driftwire.costs[kind].residentMiB);
  }
  row('  per CPU second', ({ driftwire }) => deliveriesPerCpuSecond(driftwire));
  row('  Redis bytes per waiting delivery', ({ redisBytesPerWaiting }) => redisBytesPerWaiting, 0, '≤ 1024');
  row('  Postgres bytes per delivery', ({ postgresBytesPerDelivery }) => postgresBytesPerDelivery);
  row('  written to its log', ({ walBytesPerDelivery }) => walBytesPerDelivery);
  row('Textbook, deliveries/s', ({ textbook }) => textbook.perSecond);
  for (const kind of ['worker', 'postgres', 'redis'] as const) {
    row(`  ${kind} CPU per delivery, ms`, ({ textbook: { cpuMs, deliveries } }) => cpuMs[kind] / deliveries, 3);
  }
  row('  per CPU second', ({ textbook }) => textbookPerCpuSecond(textbook));
  row('Bare got, requests/s', ({ bareGot }) => bareGot.perSecond);
  row('  CPU per request, ms', ({ bareGot }) => bareGot.cpuMsPerRequest, 3);
  table.gap();
  row('Throughput, × textbook', (run) => ratiosOf(run).throughput, 2, GOALS.throughput);
  row('Per CPU second, × textbook', (run) => ratiosOf(run).perCpuSecond, 2, GOALS.perCpuSecond);
  row('Worker CPU, × bare got', (run) => ratiosOf(run).workerCpu, 2, GOALS.workerCpu);
  return table.write();
}
