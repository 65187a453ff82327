import { FAULT_KINDS, type FaultKind } from './fault-kinds.js';
import type { Recovery } from './recovery.js';
import { isPrompt, isResumed } from './recovery-promise.js';

/** What all faults of one kind did. Times in milliseconds after the end of the fault; null: nothing to measure. */
export type KindSummary = {
  kind: FaultKind;
  injected: number;
  missed: number;
  silenceMaxMs: number | null;
  latencyMaxMs: number | null;
  interrupted: number;
  doneP50Ms: number | null;
  doneMaxMs: number | null;
  repeats: number;
  arePrompt: boolean;
  areResumed: boolean;
};

export function summarizeKinds(recoveries: readonly Recovery[], leaseMs: number): KindSummary[] {
  const kinds = FAULT_KINDS.filter((kind) => recoveries.some((one) => one.kind === kind));
  return kinds.map((kind) =>
    summarize(
      kind,
      recoveries.filter((one) => one.kind === kind),
      leaseMs,
    ),
  );
}

function summarize(kind: FaultKind, recoveries: readonly Recovery[], leaseMs: number): KindSummary {
  const done = present(recoveries.map(({ interruptedDoneMs }) => interruptedDoneMs));
  return {
    kind,
    injected: recoveries.filter(({ injectedAt }) => injectedAt !== null).length,
    missed: recoveries.filter(({ injectedAt }) => injectedAt === null).length,
    silenceMaxMs: present(recoveries.map(({ silenceMs }) => silenceMs)).at(-1) ?? null,
    latencyMaxMs: present(recoveries.map(({ latencyMaxMs }) => latencyMaxMs)).at(-1) ?? null,
    interrupted: recoveries.reduce((sum, one) => sum + one.interrupted, 0),
    doneP50Ms: done[Math.floor((done.length - 1) / 2)] ?? null,
    doneMaxMs: done.at(-1) ?? null,
    repeats: recoveries.reduce((sum, one) => sum + one.repeats, 0),
    arePrompt: recoveries.every(isPrompt),
    areResumed: recoveries.every((one) => isResumed(one, leaseMs)),
  };
}

/** In rising order. */
function present(numbers: readonly (number | null)[]): number[] {
  return numbers.flatMap((number) => (number === null ? [] : [number])).sort((one, other) => one - other);
}
