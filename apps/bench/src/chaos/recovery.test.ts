import { expect, test } from '@jest/globals';
import type { InjectedFault } from './fault-runner.js';
import { measureRecoveries, type Observation, type SteadyDelivery } from './recovery.js';
import { findSlowRecoveries } from './recovery-promise.js';

test('silence is the longest gap between arrivals after the end of the fault', () => {
  const deliveries = [500, 1_500, 2_100, 4_000, 4_100].map((at) => aDelivery({ createdAt: at, acceptedAt: at }));
  expect(measure({ deliveries })).toMatchObject({ silenceMs: 1_900 });
});

test('silence is heard from the end of the fault until the next one strikes', () => {
  const deliveries = [500, 3_000, 9_000].map((at) => aDelivery({ createdAt: at, acceptedAt: at }));
  const faults = [aFault(), aFault({ number: 2, injectedAt: 5_000, endedAt: 5_000 })];
  expect(measure({ deliveries, faults })).toMatchObject({ silenceMs: 1_000 });
});

test('after the last event there is no silence to measure', () => {
  expect(measure({ deliveries: [aDelivery({ createdAt: 1_500, acceptedAt: 30_000 })] })).toMatchObject({
    silenceMs: null,
  });
});

test('latency is that of deliveries accepted after the fault and not right before the next', () => {
  const deliveries = [
    aDelivery({ createdAt: 1_900, acceptedAt: 9_000 }),
    aDelivery({ createdAt: 2_100, acceptedAt: 2_800 }),
    aDelivery({ createdAt: 7_500, acceptedAt: 9_999 }),
  ];
  const faults = [aFault(), aFault({ number: 2, injectedAt: 8_000, endedAt: 8_000 })];
  expect(measure({ deliveries, faults, guardMs: 1_000 })).toMatchObject({ latencyMaxMs: 700 });
});

test('a delivery that never arrived counts as long as it was watched', () => {
  const lost = aDelivery({ createdAt: 2_100, acceptedAt: null, completedAt: null });
  expect(measure({ deliveries: [lost], until: 60_000 })).toMatchObject({ latencyMaxMs: 57_900, silenceMs: null });
});

test('interrupted is what was unfinished when it struck, and what it kept from finishing while it lasted', () => {
  const deliveries = [
    aDelivery({ createdAt: 0, completedAt: 900 }),
    aDelivery({ createdAt: 900, completedAt: 1_100 }),
    aDelivery({ createdAt: 1_200, completedAt: 1_300 }),
    aDelivery({ createdAt: 1_500, completedAt: 12_000 }),
    aDelivery({ createdAt: 2_100, completedAt: 2_200 }),
  ];
  expect(measure({ deliveries })).toMatchObject({ interrupted: 2, interruptedDoneMs: 10_000 });
});

test('a repeat belongs to the fault that struck nearest to the 2xx before it', () => {
  const faults = [aFault(), aFault({ number: 2, injectedAt: 5_000, endedAt: 6_000 })];
  const recoveries = measureRecoveries(anObservation({ faults, repeatedAt: [990, 1_500, 4_990, 9_000] }));
  expect(recoveries.map(({ repeats }) => repeats)).toEqual([2, 2]);
});

test('slow recoveries are violations, prompt ones are not', () => {
  const prompt = aDelivery({ createdAt: 2_100, acceptedAt: 7_000, completedAt: 7_000 });
  const resumed = aDelivery({ createdAt: 0, acceptedAt: 28_000, completedAt: 28_000 });
  const slow = aDelivery({ createdAt: 2_100, acceptedAt: 7_500, completedAt: 7_500 });
  const late = aDelivery({ createdAt: 0, acceptedAt: 29_500, completedAt: 29_500 });
  const judge = (deliveries: SteadyDelivery[]) =>
    findSlowRecoveries(measureRecoveries(anObservation({ deliveries })), 22_000).map(({ sentence }) => sentence);
  expect(judge([prompt, resumed])).toEqual([]);
  expect(judge([slow, late])).toEqual([
    'after fault 1 (redis-freeze) a delivery accepted later took 5400 ms, and 5000 is the most',
    'after fault 1 (redis-freeze) the last interrupted delivery ended 27500 ms later, and 27000 is the most',
  ]);
});

test('a frozen worker is no excuse for the others: time counts from the moment it was frozen', () => {
  const faults = [aFault({ kind: 'worker-freeze', injectedAt: 1_000, endedAt: 25_000 })];
  const deliveries = [
    aDelivery({ createdAt: 900, acceptedAt: 23_500, completedAt: 23_500, attempts: 2 }),
    aDelivery({ createdAt: 3_000, acceptedAt: 3_600, completedAt: 3_600 }),
    aDelivery({ createdAt: 26_000, acceptedAt: 26_100 }),
  ];
  expect(measure({ faults, deliveries })).toMatchObject({
    silenceMs: 19_900,
    latencyMaxMs: 600,
    interrupted: 1,
    interruptedDoneMs: 22_500,
  });
});

test('a delivery that took a second attempt was hit itself, and is not counted as one that was not', () => {
  const deliveries = [aDelivery({ createdAt: 2_100, acceptedAt: 30_000, attempts: 2 })];
  expect(measure({ deliveries })).toMatchObject({ latencyMaxMs: null });
});

function measure(overrides: Partial<Observation>) {
  return measureRecoveries(anObservation(overrides))[0];
}

function anObservation(overrides: Partial<Observation>): Observation {
  return { faults: [aFault()], deliveries: [], repeatedAt: [], guardMs: 0, until: 100_000, ...overrides };
}

/** From 1,000 to 2,000. */
function aFault(overrides: Partial<InjectedFault> = {}): InjectedFault {
  const plan = { number: 1, kind: 'redis-freeze', atMs: 0, durationMs: 1_000, pick: 0 } as const;
  return { ...plan, injectedAt: 1_000, endedAt: 2_000, missed: null, ...overrides };
}

function aDelivery(overrides: Partial<SteadyDelivery>): SteadyDelivery {
  return { createdAt: 0, completedAt: 100, acceptedAt: 50, attempts: 1, ...overrides };
}
