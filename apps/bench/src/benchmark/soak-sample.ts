import { readdirSync } from 'node:fs';
import { type Session, withSession } from '../stack/database-session.js';
import type { Keeper } from '../stack/process-keeper.js';
import type { Stack } from '../stack/stack.js';
import { residentMiB } from './cpu-times.js';

export type ProcessSample = { residentMiB: number; loopDelayMs: number; descriptors: number };

/** What should stay flat, at one moment. */
export type Sample = {
  minute: number;
  api: ProcessSample;
  /** The first one. */
  worker: ProcessSample;
  /** Of all tables. */
  deadRows: number;
  overdue: number;
};

export async function readSample(
  { apis, workers, apiUrls, workerUrls, databaseUrl }: Stack,
  minute: number,
): Promise<Sample> {
  const [apiMetrics, workerMetrics] = await Promise.all([readMetrics(apiUrls[0]), readMetrics(workerUrls[0])]);
  return {
    minute,
    api: sampleOf(apis[0], apiMetrics),
    worker: sampleOf(workers[0], workerMetrics),
    deadRows: await withSession(databaseUrl, countDeadRows),
    overdue: metric(workerMetrics, 'driftwire_deliveries_overdue'),
  };
}

function sampleOf(keeper: Keeper | undefined, metrics: string): ProcessSample {
  const pid = keeper?.child?.pid ?? 0;
  return {
    residentMiB: residentMiB(pid),
    loopDelayMs: metric(metrics, 'nodejs_eventloop_lag_p99_seconds') * 1_000,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

async function readMetrics(url = ''): Promise<string> {
  return (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
}

function metric(metrics: string, name: string): number {
  return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(metrics)?.[1]);
}

async function countDeadRows({ query }: Session): Promise<number> {
  const [row] = await query<{ dead: number }>('SELECT sum(n_dead_tup)::float8 AS dead FROM pg_stat_user_tables');
  return row?.dead ?? 0;
}
