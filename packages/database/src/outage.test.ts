import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createOutage } from './outage.js';
import { PostgresStillAway } from './postgres-error.js';

const LOST = new Error('Connection terminated unexpectedly');
const REFUSED = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });

const now = () => performance.now();
const soon = () => now() + 10_000;

let isBack: boolean;
let probes: number[];
let outage: ReturnType<typeof createOutage>;
beforeEach(() => {
  isBack = false;
  probes = [];
  outage = createOutage({
    now,
    probe: async () => {
      probes.push(now());
      return isBack;
    },
  });
});
afterEach(() => outage.giveUp());

test('what Postgres went away under is done again when it is back', async () => {
  const work = jest.fn<() => Promise<string>>().mockRejectedValueOnce(LOST).mockResolvedValue('done');
  const answer = outage.rideOut(work, { until: soon() });
  await new Promise((resolve) => setImmediate(resolve));
  expect([outage.isOn(), work.mock.calls.length]).toEqual([true, 1]);
  isBack = true;
  expect(await answer).toBe('done');
  expect(outage.isOn()).toBe(false);
});

test('a hundred who wait ask once between them, ten times a second at most', async () => {
  const works = Array.from({ length: 100 }, () =>
    jest.fn<() => Promise<void>>().mockRejectedValueOnce(LOST).mockResolvedValue(undefined),
  );
  const answers = Promise.all(works.map((work) => outage.rideOut(work, { until: soon() })));
  while (probes.length < 4) await new Promise((resolve) => setImmediate(resolve));
  isBack = true;
  await answers;
  const gaps = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
  expect(probes.length).toBe(5);
  // A timer may fire a millisecond early.
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(98);
});

test('an outage right after one does not ask sooner either', async () => {
  isBack = true;
  const work = jest.fn<() => Promise<void>>().mockRejectedValueOnce(LOST).mockRejectedValueOnce(LOST);
  await outage.rideOut(work.mockResolvedValue(undefined), { until: soon() });
  expect((probes[1] ?? 0) - (probes[0] ?? 0)).toBeGreaterThanOrEqual(98);
});

test('what comes while it is away is not even tried, and waits until its time', async () => {
  outage.noticed(LOST);
  const work = jest.fn<() => Promise<void>>();
  await expect(outage.rideOut(work, { until: now() + 50 })).rejects.toThrow(PostgresStillAway);
  expect(work).not.toHaveBeenCalled();
});

test('a write whose answer was lost is not done again, one that was never sent is', async () => {
  isBack = true;
  const mayRepeat = (error: unknown) => error === REFUSED;
  const lost = jest.fn<() => Promise<void>>().mockRejectedValue(LOST);
  await expect(outage.rideOut(lost, { until: soon(), mayRepeat })).rejects.toBe(LOST);
  expect(lost).toHaveBeenCalledTimes(1);
  const refused = jest.fn<() => Promise<string>>().mockRejectedValueOnce(REFUSED).mockResolvedValue('done');
  expect(await outage.rideOut(refused, { until: soon(), mayRepeat })).toBe('done');
});

test.each(['timeout exceeded when trying to connect', 'Query read timeout', 'a bug'])(
  'an overload is no outage, and a bug is none: %s',
  async (message) => {
    const work = jest.fn<() => Promise<void>>().mockRejectedValue(new Error(message));
    await expect(outage.rideOut(work, { until: soon() })).rejects.toThrow(message);
    expect([work.mock.calls.length, probes.length, outage.isOn()]).toEqual([1, 0, false]);
  },
);

test('given up, whoever waits is told at once, and nobody waits again', async () => {
  outage.noticed(LOST);
  const waiting = expect(outage.over(soon())).rejects.toThrow(PostgresStillAway);
  outage.giveUp();
  await waiting;
  expect(outage.noticed(LOST)).toBe(false);
});
