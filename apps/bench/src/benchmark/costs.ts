import type { Keeper } from '../stack/process-keeper.js';
import type { Stack } from '../stack/stack.js';
import { cpuMsOf, residentMiB } from './cpu-times.js';

/** Of several processes of one kind together. */
export type Cost = { cpuMs: number; residentMiB: number };

export type Costs = Record<'api' | 'worker' | 'postgres' | 'redis', Cost>;

/** `outsideCpuMs`: of this process, which is the receivers and the load. */
export type Measured<T> = { result: T; costs: Costs; outsideCpuMs: number };

/** What everything that is not receiver or load costs while `act` runs. */
export async function measureCosts<T>(stack: Stack, act: () => Promise<T>): Promise<Measured<T>> {
  const before = readCpu(stack);
  const outside = process.cpuUsage();
  const result = await act();
  const after = readCpu(stack);
  const { user, system } = process.cpuUsage(outside);
  const cost = (kind: keyof Costs): Cost => ({
    cpuMs: after[kind] - before[kind],
    residentMiB: sum(keepersOf(stack)[kind], residentMiB),
  });
  return {
    result,
    costs: { api: cost('api'), worker: cost('worker'), postgres: cost('postgres'), redis: cost('redis') },
    outsideCpuMs: (user + system) / 1_000,
  };
}

function readCpu(stack: Stack): Record<keyof Costs, number> {
  const { api, worker, postgres, redis } = keepersOf(stack);
  return {
    api: sum(api, cpuMsOf),
    worker: sum(worker, cpuMsOf),
    postgres: sum(postgres, cpuMsOf),
    redis: sum(redis, cpuMsOf),
  };
}

function keepersOf({ apis, workers, postgres, redis }: Stack): Record<keyof Costs, Keeper[]> {
  return { api: apis, worker: workers, postgres: [postgres], redis: [redis] };
}

function sum(keepers: readonly Keeper[], measure: (pid: number) => number): number {
  return keepers.reduce((total, { child }) => total + (child?.pid === undefined ? 0 : measure(child.pid)), 0);
}
