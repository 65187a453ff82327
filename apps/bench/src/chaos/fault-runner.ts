import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { laneOf } from './fault-kinds.js';
import type { PlannedFault } from './fault-plan.js';

/** A fault as it came about. `injectedAt` is null, and `missed` says why, when its moment never came. */
export type InjectedFault = PlannedFault & { injectedAt: number | null; endedAt: number; missed: string | null };

export type FaultRunner = {
  /** Rejects when the fault could not be done. */
  inject: (fault: PlannedFault, struck: () => void) => Promise<void>;
  /** Grows as faults end. */
  injected: InjectedFault[];
  signal: AbortSignal;
};

/** Each at its time; those in the same lane wait for each other. Resolves when the last one is over. */
export async function runOverlapping(runner: FaultRunner, plan: readonly PlannedFault[]): Promise<void> {
  // Every fault waits for its time on this one signal: that is no leak.
  setMaxListeners(0, runner.signal);
  const startedAt = Date.now();
  const lanes = new Map<string, Promise<void>>();
  const underway = plan.map((fault) => {
    const lane = laneOf(fault.kind) ?? `fault ${fault.number}`;
    const before = lanes.get(lane) ?? Promise.resolve();
    const running = before.then(() => runAtItsTime(runner, fault, startedAt));
    lanes.set(lane, running);
    return running;
  });
  await Promise.all(underway);
}

/** Each at its time, and never before the one before is over: one that takes longer than planned defers all others. */
export async function runInTurn(runner: FaultRunner, plan: readonly PlannedFault[]): Promise<void> {
  const startedAt = Date.now();
  let lateMs = 0;
  for (const fault of plan) {
    await runAtItsTime(runner, fault, startedAt + lateMs);
    lateMs = Math.max(lateMs, Date.now() - startedAt - fault.atMs - fault.durationMs);
  }
}

async function runAtItsTime(runner: FaultRunner, fault: PlannedFault, startedAt: number): Promise<void> {
  await pause(Math.max(0, startedAt + fault.atMs - Date.now()), undefined, { signal: runner.signal });
  let injectedAt: number | null = null;
  let missed: string | null = null;
  try {
    await runner.inject(fault, () => {
      injectedAt = Date.now();
    });
  } catch (error) {
    runner.signal.throwIfAborted();
    missed = error instanceof Error ? error.message : `${error}`;
  }
  runner.injected.push({ ...fault, injectedAt, endedAt: Date.now(), missed });
}
