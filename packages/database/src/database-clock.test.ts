import { expect, test } from '@jest/globals';
import { createDatabaseClock } from './database-clock.js';

/** Three clocks that a test sets: of the database, the process's own, and the monotonic one that both of them follow. */
function setup({ databaseMs = 1_000_000, wallMs = 1_000_000 } = {}) {
  let passedMs = 0;
  const at = { databaseMs, wallMs };
  const answers = { afterMs: 0, error: null as Error | null };
  const readTimeMs = async () => {
    passedMs += answers.afterMs / 2;
    if (answers.error !== null) throw answers.error;
    const read = at.databaseMs + passedMs;
    passedMs += answers.afterMs / 2;
    return read;
  };
  const clock = createDatabaseClock(readTimeMs, { monotonic: () => passedMs, wall: () => at.wallMs + passedMs });
  return {
    clock,
    at,
    pass: (ms: number) => {
      passedMs += ms;
    },
    look: (afterMs = 0) => {
      answers.afterMs = afterMs;
      return clock.look();
    },
    answers,
    errorMs: () => clock.now().getTime() - (at.databaseMs + passedMs),
  };
}

test('before the first look it is the own clock, and nothing is known to be wrong', () => {
  const { clock } = setup({ wallMs: 5_000 });
  expect(clock.now().getTime()).toBe(5_000);
  expect(clock.skewMs()).toBe(0);
});

test("it shows the database's time, whatever the own clock says, and goes on by itself", async () => {
  const { clock, look, pass, errorMs } = setup({ wallMs: 1_000_000 + 864_000_000 });
  await look();
  pass(60_000);
  expect(errorMs()).toBe(0);
  expect(clock.skewMs()).toBe(864_000_000);
});

test('an own clock that is set meanwhile changes the skew and not the time', async () => {
  const { clock, at, look, errorMs } = setup();
  await look();
  at.wallMs -= 600_000;
  expect(errorMs()).toBe(0);
  expect(clock.skewMs()).toBe(-600_000);
});

test("a database's clock that is set is followed at the next look, however good the last one was", async () => {
  const { at, look, errorMs } = setup();
  await look();
  at.databaseMs += 3_600_000;
  await look(200);
  expect(errorMs()).toBe(0);
});

test('an answer that took long replaces none that came at once, until that one has aged', async () => {
  const { clock, at, look, pass } = setup();
  await look(2);
  const before = clock.now().getTime();
  at.databaseMs += 40;
  await look(100);
  expect(clock.now().getTime() - before).toBe(100);
  pass(300_000);
  await look(100);
  expect(clock.now().getTime() - before).toBe(300_240);
});

test('a look that fails leaves the clock as it was', async () => {
  const { answers, look, errorMs } = setup();
  await look();
  answers.error = new Error('Postgres is away');
  await expect(look()).rejects.toThrow('Postgres is away');
  expect(errorMs()).toBe(0);
});
