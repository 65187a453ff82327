import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { recordAttempts, summarizeOverdue } from '../src/index.js';
import { aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(() => at.deleteDeliveries());
afterAll(() => at.close());

const summary = ({ countLimit = 100 } = {}) => summarizeOverdue(at.prisma, { countLimit });

test('nothing is overdue where nothing is', async () => {
  expect(await summary()).toEqual({ count: 0, oldestMs: 0 });
});

test('overdue is what has been due for longer than the grace; its age is that of the oldest', async () => {
  await at.deliveries(1, { dueInMs: -60_000 });
  await at.deliveries(1, { dueInMs: -8_000 });
  const { count, oldestMs } = await summary();
  expect(count).toBe(2);
  expect(oldestMs).toBeGreaterThanOrEqual(60_000);
  expect(oldestMs).toBeLessThan(70_000);
});

test('neither what is due later nor what has just become due is overdue', async () => {
  await at.deliveries(1, { dueInMs: 60_000 });
  await at.deliveries(1, { dueInMs: 0 });
  expect(await summary()).toEqual({ count: 0, oldestMs: 0 });
});

test('a delivery in flight is not overdue, nor is a finished one', async () => {
  const [flying = '', finished = ''] = await at.deliveries(2, { dueInMs: -60_000 });
  await at.claim(flying);
  await recordAttempts(at.prisma, [aRecord(await at.claim(finished))]);
  expect(await summary()).toEqual({ count: 0, oldestMs: 0 });
});

test('the count stops at its limit; the age is still that of the oldest', async () => {
  await at.deliveries(5, { dueInMs: -60_000 });
  const { count, oldestMs } = await summary({ countLimit: 3 });
  expect(count).toBe(3);
  expect(oldestMs).toBeGreaterThanOrEqual(60_000);
});

test('an armed deadline does not hide what is overdue: the gauge asks when it was due, not when it is looked at', async () => {
  const [id = ''] = await at.deliveries(1, { dueInMs: -60_000 });
  await at.setDeadline(id, 900_000);
  expect((await summary()).count).toBe(1);
});
