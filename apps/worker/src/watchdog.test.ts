import { expect, test } from '@jest/globals';
import { createWatchdog, type Vitals } from './watchdog.js';

const SUSPECT: Vitals = { postgres: true, redis: true, overdue: 1, waiting: 1, inFlight: 0 };

test('work is overdue, jobs wait, nothing in flight, no job taken and both servers there for 30 s: wedged', () => {
  const { beats } = setup();
  expect(beats(Array(8).fill(SUSPECT))).toEqual([false, false, false, false, false, false, true, true]);
});

test.each<[string, Partial<Vitals>]>([
  ['nothing is overdue', { overdue: 0 }],
  ['no job waits', { waiting: 0 }],
  ['something is in flight', { inFlight: 1 }],
  ['Postgres was away for a beat', { postgres: false }],
  ['Redis was away for a beat, or its queue paused', { redis: false }],
])('%s: the 30 s begin again', (_, vitals) => {
  const { beats } = setup();
  const seen = [SUSPECT, SUSPECT, SUSPECT, { ...SUSPECT, ...vitals }, SUSPECT, SUSPECT, SUSPECT, SUSPECT];
  expect(beats(seen)).not.toContain(true);
});

test('a job that came in between: the 30 s begin again', () => {
  const { watchdog, beats } = setup();
  beats(Array(5).fill(SUSPECT));
  watchdog.jobTaken();
  expect(beats(Array(6).fill(SUSPECT))).not.toContain(true);
});

test('a process that was stopped for a minute has not watched the queue meanwhile', () => {
  const { beats, pass } = setup();
  beats([SUSPECT, SUSPECT]);
  pass(60_000);
  expect(beats([SUSPECT, SUSPECT])).toEqual([false, false]);
});

/** A beat every 5 s. */
function setup() {
  let now = 0;
  const watchdog = createWatchdog(() => now);
  const pass = (ms: number) => {
    now += ms;
  };
  const beats = (seen: Vitals[]) =>
    seen.map((vitals) => {
      pass(5_000);
      return watchdog.isWedged(vitals);
    });
  return { watchdog, beats, pass };
}
