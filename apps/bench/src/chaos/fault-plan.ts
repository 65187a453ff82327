import { between, type Chance, chanceOf, shuffle } from './chance.js';
import type { FaultKind } from './fault-kinds.js';
import { ATTEMPTS_LAST_MS, LEASE_MS } from './stack-limits.js';

/** `pick` (0 ≤ pick < 1) chooses among several targets when the time has come. Times count from the start of the run. */
export type PlannedFault = { number: number; kind: FaultKind; atMs: number; durationMs: number; pick: number };

export type Pace =
  /** So many faults over a stretch of time, overlapping as it happens. */
  | { kind: 'spread'; count: number; fromMs: number; untilMs: number }
  /** So many of each kind, one after the other. */
  | { kind: 'in-turn'; each: number; everyMs: number; fromMs: number };

export type FaultPlan = { seed: number; kinds: readonly FaultKind[]; workers: number; pace: Pace };

/** So that the frozen worker wakes up as a zombie, whose deliveries others have taken over. */
const WORKER_FREEZE_MS = LEASE_MS + 3_000;
/** In turn, a fault leaves at least this much quiet behind it, to be measured. */
const QUIET_MS = 12_000;

/** What will be done when. The same seed gives the same plan. */
export function planFaults(plan: FaultPlan): PlannedFault[] {
  const chance = chanceOf(plan.seed, 'faults');
  const { pace } = plan;
  const kinds = pace.kind === 'spread' ? deal(chance, plan.kinds, pace.count) : dealEach(chance, plan.kinds, pace.each);
  const faults = kinds.map((kind, index) => ({ number: index + 1, kind, ...drawDetails(chance, kind) }));
  return spareOneWorker(placeInTime(chance, faults, pace), plan.workers);
}

type Undated = Omit<PlannedFault, 'atMs'>;

/** Deck after shuffled deck: every kind appears about equally often in any stretch of the run. */
function deal(chance: Chance, kinds: readonly FaultKind[], count: number): FaultKind[] {
  const dealt: FaultKind[] = [];
  while (dealt.length < count) dealt.push(...shuffle(chance, kinds));
  return dealt.slice(0, count);
}

function dealEach(chance: Chance, kinds: readonly FaultKind[], each: number): FaultKind[] {
  return deal(chance, kinds, kinds.length * each);
}

function drawDetails(chance: Chance, kind: FaultKind): { durationMs: number; pick: number } {
  return { durationMs: drawDurationMs(chance, kind), pick: chance() };
}

function drawDurationMs(chance: Chance, kind: FaultKind): number {
  if (kind === 'worker-freeze') return WORKER_FREEZE_MS;
  if (kind === 'receiver-out') return between(chance, ATTEMPTS_LAST_MS + 1_000, ATTEMPTS_LAST_MS + 5_000);
  if (kind === 'redis-freeze') return between(chance, 2_000, 6_000);
  return kind.startsWith('receivers-') ? between(chance, 2_000, 5_000) : 0;
}

function placeInTime(chance: Chance, faults: readonly Undated[], pace: Pace): PlannedFault[] {
  return pace.kind === 'spread' ? spreadOut(chance, faults, pace) : lineUp(faults, pace);
}

function spreadOut(
  chance: Chance,
  faults: readonly Undated[],
  { fromMs, untilMs }: { fromMs: number; untilMs: number },
): PlannedFault[] {
  const slotMs = (untilMs - fromMs) / faults.length;
  return faults.map((fault, index) => ({ ...fault, atMs: Math.round(fromMs + (index + chance()) * slotMs) }));
}

function lineUp(faults: readonly Undated[], { fromMs, everyMs }: { fromMs: number; everyMs: number }): PlannedFault[] {
  let atMs = fromMs;
  return faults.map((fault) => {
    const planned = { ...fault, atMs };
    atMs += Math.max(everyMs, fault.durationMs + QUIET_MS);
    return planned;
  });
}

/** With every worker frozen nothing would be tested: a freeze that took the last one becomes a kill. */
function spareOneWorker(faults: readonly PlannedFault[], workers: number): PlannedFault[] {
  const planned: PlannedFault[] = [];
  for (const fault of faults) {
    const frozen = planned.filter((one) => one.kind === 'worker-freeze' && one.atMs + one.durationMs >= fault.atMs);
    const isLast = fault.kind === 'worker-freeze' && frozen.length >= workers - 1;
    planned.push(isLast ? { ...fault, kind: 'worker-kill', durationMs: 0 } : fault);
  }
  return planned;
}
