import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordAttempts, releaseClaim } from '../src/index.js';
import { aRecord, type Setup, setup, toRetry } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const release = (claim: { deliveryId: string; fence: number }, dueInMs = 0) =>
  releaseClaim(at.prisma, claim, { dueInMs });

test('a released claim costs neither a start nor a number, and is due again', async () => {
  const { id } = await at.aDelivery();
  expect(await release(await at.claim(id), 60_000)).toBe(true);
  const row = await at.delivery(id);
  expect(row).toMatchObject({ starts: 0, fence: 1, leaseExpiresAt: null, lastAttemptAt: null, attempts: [] });
  expect((await at.ask(id)).verdict).toBe('wait');
  await at.prisma.delivery.update({ where: { id }, data: { nextAttemptAt: new Date() } });
  expect((await at.claim(id)).fence).toBe(1);
});

test('the numbers go on behind the attempts there are', async () => {
  const { id } = await at.aDelivery();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id), toRetry(0))]);
  const second = await at.claim(id);
  expect(second.fence).toBe(2);
  await release(second);
  expect(await at.delivery(id)).toMatchObject({ fence: 1, starts: 1, lastAttemptAt: expect.any(Date) });
  expect((await at.claim(id)).fence).toBe(2);
});

test('a claim that has passed to somebody else cannot be released', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  await at.claim(id);
  const before = await at.delivery(id);
  expect(await release(lost)).toBe(false);
  expect(await at.delivery(id)).toEqual(before);
});

test('a claim whose attempt is on record cannot be released', async () => {
  const { id } = await at.aDelivery();
  const claim = await at.claim(id);
  await recordAttempts(at.prisma, [aRecord(claim)]);
  expect(await release(claim)).toBe(false);
});
