import { expect, test } from '@jest/globals';
import { FAULT_KINDS } from './fault-kinds.js';
import { type FaultPlan, planFaults } from './fault-plan.js';
import { ATTEMPTS_LAST_MS } from './stack-limits.js';

test('the same seed gives the same plan, another seed another', () => {
  expect(planFaults(aPlan())).toEqual(planFaults(aPlan()));
  expect(planFaults(aPlan({ seed: 8 }))).not.toEqual(planFaults(aPlan()));
});

test('faults are spread over the run in order, and every kind appears about equally often', () => {
  const faults = planFaults(aPlan());
  const times = faults.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times.every((atMs) => atMs >= 1_000 && atMs <= 600_000)).toBe(true);
  const counts = FAULT_KINDS.map((kind) => faults.filter((fault) => fault.kind === kind).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test('one worker at least is never frozen', () => {
  const faults = planFaults(aPlan({ kinds: ['worker-freeze'], workers: 3 }));
  const freezes = faults.filter(({ kind }) => kind === 'worker-freeze');
  for (const { atMs } of freezes) {
    const atOnce = freezes.filter((one) => one.atMs <= atMs && atMs < one.atMs + one.durationMs);
    expect(atOnce.length).toBeLessThanOrEqual(2);
  }
  expect(planFaults(aPlan({ kinds: ['worker-freeze'], workers: 1 })).map(({ kind }) => kind)).toContain('worker-kill');
  expect(freezes.length).toBeGreaterThan(10);
});

test('a receiver is out for longer than the attempts of a delivery take', () => {
  const faults = planFaults(aPlan({ kinds: ['receiver-out'] }));
  expect(Math.min(...faults.map(({ durationMs }) => durationMs))).toBeGreaterThan(ATTEMPTS_LAST_MS);
});

test('in turn, each kind comes as often as asked, and nothing starts before the one before has ended', () => {
  const pace = { kind: 'in-turn', each: 3, everyMs: 20_000, fromMs: 5_000 } as const;
  const faults = planFaults(aPlan({ pace }));
  expect(faults).toHaveLength(FAULT_KINDS.length * 3);
  for (const [index, { atMs, durationMs }] of faults.entries()) {
    const next = faults[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    expect(next - atMs).toBeGreaterThanOrEqual(Math.max(20_000, durationMs));
  }
});

function aPlan(overrides: Partial<FaultPlan> = {}): FaultPlan {
  const pace = { kind: 'spread', count: 100, fromMs: 1_000, untilMs: 600_000 } as const;
  return { seed: 7, kinds: FAULT_KINDS, workers: 4, pace, ...overrides };
}
