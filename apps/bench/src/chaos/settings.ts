import { resolve } from 'node:path';
import type { ChaosRun, Load, Sabotage } from './command-line.js';
import type { FaultKind } from './fault-kinds.js';
import { type PlannedFault, planFaults } from './fault-plan.js';

export type Settings = {
  mode: Load['mode'];
  seed: number;
  events: number;
  /** From the first event to the last. */
  produceMs: number;
  workers: number;
  plan: PlannedFault[];
  /** Ten starts, each a lease apart, need minutes. */
  hasPoison: boolean;
  sabotage: Sabotage | undefined;
  reportFile: string;
  keep: boolean;
};

/** What brings a promise to the test that is broken on purpose; once among so many faults it may happen to catch nothing. */
const TESTED_BY: Record<Sabotage, FaultKind> = {
  sweeper: 'redis-flush',
  fence: 'worker-freeze',
  release: 'receiver-out',
};
const TESTS_MORE = 4;

const FIRST_FAULT_MS = 2_000;
const FAULTS_PER_MINUTE = 25;
const POISON_FROM_MS = 480_000;
/** Of a mixed run, the last stretch is for what is still under way. */
const MARGIN_SHARE = 0.15;
const LONGEST_MARGIN_MS = 10_000;
/** In turn, events go on for so long after the last fault has ended. */
const LAST_LOOK_MS = 12_000;

export function readSettings(
  run: ChaosRun,
  context: { root: string; randomSeed: number; canFindSenders: boolean },
): Settings {
  const seed = run.seed ?? context.randomSeed;
  const timing = run.load.mode === 'mixed' ? timeMixed(run, run.load, seed) : timeInTurn(run, run.load, seed);
  return {
    mode: run.load.mode,
    seed,
    ...timing,
    workers: run.workers,
    hasPoison: context.canFindSenders && run.load.mode === 'mixed' && run.load.minutes * 60_000 >= POISON_FROM_MS,
    sabotage: run.sabotage,
    reportFile: resolve(context.root, run.report ?? `reports/chaos-${seed}.json`),
    keep: run.keep,
  };
}

type Timing = { events: number; produceMs: number; plan: PlannedFault[] };

function timeMixed({ kinds, workers, sabotage }: ChaosRun, load: Load & { mode: 'mixed' }, seed: number): Timing {
  const runMs = load.minutes * 60_000;
  const produceMs = runMs - Math.min(LONGEST_MARGIN_MS, runMs * MARGIN_SHARE);
  const count = load.faults ?? Math.round(load.minutes * FAULTS_PER_MINUTE);
  const pace = { kind: 'spread', count, fromMs: Math.min(FIRST_FAULT_MS, produceMs / 10), untilMs: produceMs } as const;
  const plan = planFaults({ seed, kinds: [...kinds, ...moreTests(kinds, sabotage)], workers, pace });
  return { events: load.events, produceMs, plan };
}

function moreTests(kinds: readonly FaultKind[], sabotage: Sabotage | undefined): FaultKind[] {
  const test = sabotage && TESTED_BY[sabotage];
  return test !== undefined && kinds.includes(test) ? Array.from({ length: TESTS_MORE }, () => test) : [];
}

function timeInTurn({ kinds, workers }: ChaosRun, load: Load & { mode: 'one-at-a-time' }, seed: number): Timing {
  const pace = { kind: 'in-turn', each: load.each, everyMs: load.everyS * 1_000, fromMs: FIRST_FAULT_MS } as const;
  const plan = planFaults({ seed, kinds, workers, pace });
  const last = plan.at(-1);
  const produceMs = (last ? last.atMs + last.durationMs : 0) + LAST_LOOK_MS;
  return { events: Math.ceil((produceMs / 1_000) * load.ratePerS), produceMs, plan };
}
