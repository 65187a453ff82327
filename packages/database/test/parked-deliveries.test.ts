import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { dropDay, endParked, letGoParked, noteParked, releaseClaim } from '../src/index.js';
import { type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterEach(() => at.prisma.parkedDelivery.deleteMany());
afterAll(() => at.close());

const LIMIT = 10;
const letGo = (...ring: string[]) => letGoParked(at.prisma, { ring, limit: LIMIT });
const today = new Date().toISOString().slice(0, 10);
const endDay = (day: string, ...ring: string[]) => endParked(at.prisma, { day, ring, limit: LIMIT });

/** A delivery whose endpoint is sealed with these keys, parked by a worker with that ring. */
async function aParked({ sealedWith = 'new', headersWith = 'new', ring = ['old'] } = {}) {
  const { id, customerId, endpointId } = await at.aDelivery();
  await at.prisma.endpoint.update({
    where: { id: endpointId },
    data: { secretSealed: `${sealedWith}:x`, headersSealed: `${headersWith}:y`, headerNames: ['X-Key'] },
  });
  const claim = await at.claim(id);
  await releaseClaim(at.prisma, claim, { dueInMs: 300_000 });
  await noteParked(at.prisma, claim, ring);
  return { id, customerId, endpointId };
}

test('a ring without the key lets nothing go; one with it does, once, due at once under the next generation', async () => {
  const { id, endpointId } = await aParked();
  expect(await letGo('old')).toEqual([]);
  expect(await letGo('old', 'new')).toEqual([{ deliveryId: id, generation: 2, endpointId, maxAttempts: 3 }]);
  expect(await letGo('old', 'new')).toEqual([]);
  expect((await at.ask(id)).verdict).not.toBe('claimed');
  expect((await at.claim(id, { generation: 2 })).fence).toBe(1);
});

test('all that an attempt needs must be of the ring: headers too, and the previous secret while it signs', async () => {
  const { id, endpointId } = await aParked({ headersWith: 'third' });
  expect(await letGo('new')).toEqual([]);
  const overlap = (previousSecretExpiresAt: Date) =>
    at.prisma.endpoint.update({
      where: { id: endpointId },
      data: { headersSealed: null, headerNames: [], previousSecretSealed: 'gone:z', previousSecretExpiresAt },
    });
  await overlap(new Date(Date.now() + 60_000));
  expect(await letGo('new')).toEqual([]);
  await overlap(new Date(Date.now() - 60_000));
  expect(await letGo('new')).toMatchObject([{ deliveryId: id }]);
});

test('resealed with a key of the ring, it is let go', async () => {
  const { id, endpointId } = await aParked();
  await at.prisma.endpoint.update({
    where: { id: endpointId },
    data: { secretSealed: 'old:x', headersSealed: 'old:y' },
  });
  expect(await letGo('old')).toMatchObject([{ deliveryId: id }]);
});

test('a damaged secret is not tried again and again: only another version of the endpoint lets its deliveries go', async () => {
  const { id, endpointId } = await aParked({ ring: ['new', 'old'] });
  expect(await letGo('new', 'old')).toEqual([]);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { version: { increment: 1 } } });
  expect(await letGo('new', 'old')).toMatchObject([{ deliveryId: id }]);
});

test('an endpoint that takes no deliveries any more lets its parked ones go, to be cancelled', async () => {
  const { id, endpointId } = await aParked();
  await at.pause(endpointId);
  expect(await letGo('old')).toMatchObject([{ deliveryId: id, generation: 2 }]);
  expect((await at.ask(id, { generation: 2 })).verdict).toBe('ended');
});

test('what somebody claims meanwhile is left to them', async () => {
  const { id } = await aParked();
  await at.prisma.delivery.update({ where: { id }, data: { nextAttemptAt: new Date() } });
  const claim = await at.claim(id);
  expect(await letGo('new')).toEqual([]);
  expect(await at.delivery(id)).toMatchObject({ generation: 1, fence: claim.fence });
});

test('limits and workers side by side: each is let go once', async () => {
  const parked = await Promise.all(Array.from({ length: 12 }, () => aParked()));
  const batches = await Promise.all([letGo('new'), letGo('new'), letGo('new')]);
  for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(LIMIT);
  const rest = await letGo('new');
  const ids = [...batches.flat(), ...rest].map(({ deliveryId }) => deliveryId);
  expect(ids.sort()).toEqual(parked.map(({ id }) => id).sort());
});

test('a day is kept by a parked delivery, until it is ended: failed, said why, and in the audit log', async () => {
  const { id, customerId } = await aParked();
  expect(await dropDay(at.prisma, today)).toMatchObject({ became: 'unfinished' });
  expect(await endDay('2026-01-31', 'old')).toEqual([]);
  expect(await endDay(today, 'new')).toEqual([]);
  expect(await endDay(today, 'old')).toEqual([id]);
  expect(await at.delivery(id)).toMatchObject({
    status: 'failed',
    failureReason: 'indeterminate',
    lastError: expect.stringContaining('could not be opened'),
    recoverAt: null,
  });
  expect(await at.prisma.auditLine.findMany({ where: { subjectId: id } })).toMatchObject([
    { action: 'delivery.given_up', actor: 'driftwire', customerId, subjectType: 'delivery' },
  ]);
  expect(await endDay(today, 'old')).toEqual([]);
});
