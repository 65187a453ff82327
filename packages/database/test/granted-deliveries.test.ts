import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type Endpoint,
  freeSlots,
  type Granted,
  grantHeld,
  holdDeliveries,
  makeSlots,
  releaseHeld,
} from '../src/index.js';
import { type Setup, setup } from './setup.js';

const LEASE_MS = 60_000;

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

/** With so many deliveries held. */
async function anEndpoint(limits: Partial<Endpoint>, held: number) {
  const customerId = await at.aCustomer();
  const { id: endpointId } = await at.anEndpoint(customerId);
  const ids = (await at.accept(customerId, held)).map(({ id }) => id);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: limits });
  await at.prisma.$executeRaw(makeSlots(endpointId));
  await holdDeliveries(
    at.direct,
    ids.map((deliveryId) => ({ deliveryId, generation: 1, reason: 'rate_limited' })),
  );
  return { customerId, endpointId, ids: ids.sort() };
}

const grant = (endpointId: string, count: number, leadMs = 0) =>
  grantHeld(at.prisma, new Map([[endpointId, count]]), { leaseMs: LEASE_MS, leadMs, claimWithinMs: 10_000 });
const claim = ({ deliveryId, generation }: Granted) =>
  at.ask(deliveryId, { generation, leaseMs: LEASE_MS, isGranted: true });
const slotsTaken = (endpointId: string) =>
  at.prisma.endpointSlot.count({ where: { endpointId, deliveryId: { not: null } } });

test('a delivery of an endpoint with limits is claimed with a grant only, and is let go by nothing else', async () => {
  const { customerId, endpointId } = await anEndpoint({ maxInFlight: 2 }, 0);
  const [delivery] = await at.accept(customerId);
  const deliveryId = delivery?.id ?? '';
  expect(delivery).toMatchObject({ isHeld: false });
  expect(await at.ask(deliveryId)).toMatchObject({ verdict: 'hold', reason: 'rate_limited' });
  await holdDeliveries(at.direct, [{ deliveryId, generation: 1, reason: 'rate_limited' }]);
  const [behind] = await at.accept(customerId);
  expect(await at.delivery(behind?.id ?? '')).toMatchObject({ holdReason: 'rate_limited' });

  expect(await releaseHeld(at.prisma, new Map([[endpointId, 5]]), { deliveriesPerJob: 1 })).toEqual([]);
  const [granted] = await grant(endpointId, 1);
  expect(granted).toMatchObject({ deliveryId, generation: 2, hasSlot: true, isPaced: false, dueInMs: 0 });
  expect(granted && (await claim(granted))).toMatchObject({ verdict: 'claimed' });
  expect(await at.delivery(deliveryId)).toMatchObject({ grantedUntil: null, holdReason: null });
});

test('a grant is for who asked for it: anybody else waits until it is over, and then it is held', async () => {
  const { endpointId } = await anEndpoint({ maxInFlight: 2 }, 1);
  const [granted] = await grant(endpointId, 1);
  const { deliveryId = '', generation = 0 } = granted ?? {};
  const stranger = await at.ask(deliveryId, { generation });
  expect(stranger).toMatchObject({ verdict: 'wait' });
  expect(stranger.verdict === 'wait' && stranger.waitMs).toBeGreaterThan(9_000);
  await at.prisma.$executeRaw`UPDATE deliveries SET granted_until = now() WHERE id = ${deliveryId}::uuid`;
  expect(await at.ask(deliveryId, { generation })).toMatchObject({ verdict: 'hold', reason: 'rate_limited' });
});

test('no more are in flight than the endpoint takes, however many workers ask at once, until slots are given back', async () => {
  const { endpointId, ids } = await anEndpoint({ maxInFlight: 3 }, 20);
  const granted = (await Promise.all(Array.from({ length: 12 }, () => grant(endpointId, 2)))).flat();
  expect(granted.map(({ deliveryId }) => deliveryId).sort()).toEqual(ids.slice(0, 3));
  for (const one of granted) expect(await claim(one)).toMatchObject({ verdict: 'claimed' });
  expect(await grant(endpointId, 5)).toEqual([]);

  await freeSlots(at.prisma, granted.slice(0, 2));
  expect(await slotsTaken(endpointId)).toBe(1);
  expect((await Promise.all([grant(endpointId, 5), grant(endpointId, 5)])).flat()).toHaveLength(2);

  // One that was given back is not given back again by who had it before.
  await freeSlots(at.prisma, granted.slice(0, 2));
  expect(await slotsTaken(endpointId)).toBe(3);

  // A lost worker's slot is free when its lease is over, and not before.
  const [{ ends } = {}] = await at.prisma.$queryRaw<{ ends: boolean }[]>`
    SELECT bool_and(slots.until >= lease_expires_at) AS ends
    FROM endpoint_slots slots JOIN deliveries ON deliveries.id = delivery_id
    WHERE slots.endpoint_id = ${endpointId}::uuid AND lease_expires_at IS NOT NULL`;
  expect(ends).toBe(true);
  await at.prisma.endpointSlot.updateMany({ where: { endpointId }, data: { until: new Date(0) } });
  expect(await grant(endpointId, 5)).toHaveLength(3);
});

test('a limit that is lowered holds for what is granted from then on; one that is taken away leaves the rest to the others', async () => {
  const { endpointId } = await anEndpoint({ maxInFlight: 4 }, 10);
  const granted = await grant(endpointId, 10);
  expect(granted).toHaveLength(4);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { maxInFlight: 2 } });
  await freeSlots(at.prisma, granted);
  expect(await grant(endpointId, 10)).toHaveLength(2);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { maxInFlight: null } });
  expect(await grant(endpointId, 10)).toEqual([]);
  expect(await releaseHeld(at.prisma, new Map([[endpointId, 10]]), { deliveriesPerJob: 1 })).toHaveLength(4);
});

test.each([
  [1, 1_150],
  [2.5, 575],
  [10, 1_150 / 11],
  [50, 1_150 / 55],
  [0.5, 2_000],
])('of %d a second no two are due closer than %d ms, whoever asks', async (maxPerSecond, apartMs) => {
  const { endpointId } = await anEndpoint({ maxPerSecond }, 60);
  const before = await grantedPoints(endpointId);
  expect(before).toEqual([]);
  await Promise.all(Array.from({ length: 6 }, () => grant(endpointId, 20)));
  const points = await grantedPoints(endpointId);
  const gaps = points.slice(1).map((point, index) => point - (points[index] ?? 0));
  for (const gap of gaps) {
    // Points are kept in whole milliseconds.
    expect(gap).toBeGreaterThanOrEqual(apartMs - 1);
    expect(gap).toBeLessThanOrEqual(apartMs + 1);
  }
  // Of two and a half seconds, and of the time that passes between the six that ask.
  const expected = Math.min(1 + Math.floor(2_500 / apartMs), 60);
  expect(points.length - expected).toBeGreaterThanOrEqual(0);
  expect(points.length - expected).toBeLessThanOrEqual(1 + 200 / apartMs);
});

/** The ends of grants, in order. */
async function grantedPoints(endpointId: string): Promise<number[]> {
  const rows = await at.prisma.delivery.findMany({ where: { endpointId, grantedUntil: { not: null } } });
  return rows.map(({ grantedUntil }) => Number(grantedUntil)).sort((a, b) => a - b);
}

test('a point in time is handed out once: unused, it is lost, and what came too late for it is held', async () => {
  const { endpointId } = await anEndpoint({ maxPerSecond: 10 }, 5);
  const [first, second] = await grant(endpointId, 2);
  expect(first).toMatchObject({ isPaced: true, hasSlot: false, dueInMs: 0 });
  expect(second?.dueInMs).toBeCloseTo(1_150 / 11, 0);
  await at.prisma
    .$executeRaw`UPDATE deliveries SET granted_until = now() - interval '1 ms' WHERE id = ${first?.deliveryId}::uuid`;
  expect(first && (await claim(first))).toMatchObject({ verdict: 'hold', reason: 'rate_limited' });
  expect(second && (await claim(second))).toMatchObject({ verdict: 'claimed' });
  const [third] = await grant(endpointId, 1);
  expect(third?.dueInMs).toBeGreaterThan(100);
});

test('an idle endpoint has saved nothing up, and a worker that is late asks for more time', async () => {
  const { endpointId } = await anEndpoint({ maxPerSecond: 10 }, 5);
  await at.prisma
    .$executeRaw`UPDATE endpoint_flow SET next_slot_at = now() - interval '1 h' WHERE endpoint_id = ${endpointId}::uuid`;
  const [first, second] = await grant(endpointId, 2, 500);
  expect(first?.dueInMs).toBeCloseTo(500, 0);
  expect(second?.dueInMs).toBeCloseTo(500 + 1_150 / 11, 0);
});

test('both limits hold together', async () => {
  const { endpointId } = await anEndpoint({ maxPerSecond: 100, maxInFlight: 4 }, 20);
  const granted = await grant(endpointId, 20);
  expect(granted.map(({ dueInMs }) => Math.round(dueInMs))).toEqual([0, 10, 21, 31]);
  expect(granted.every(({ hasSlot, isPaced }) => hasSlot && isPaced)).toBe(true);
  // The four that were not used cost the rate nothing.
  await freeSlots(at.prisma, granted);
  const [next] = await grant(endpointId, 1);
  expect(next?.dueInMs).toBeLessThanOrEqual(40);
});

test.each([
  ['on hold', { onHold: true }],
  ['inactive', { active: false, inactiveReason: 'paused' as const }],
])('an endpoint that is %s is granted nothing', async (_, change) => {
  const { endpointId } = await anEndpoint({ maxInFlight: 4 }, 2);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: change });
  expect(await grant(endpointId, 2)).toEqual([]);
});
