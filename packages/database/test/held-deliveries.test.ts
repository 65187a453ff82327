import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  armOverdueDeliveries,
  endCrowding,
  endHeld,
  heldEndpoints,
  holdDeliveries,
  recordAttempts,
  releaseHeld,
} from '../src/index.js';
import { aWorkersDatabase, rowsRead } from './rows-read.js';
import { aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(async () => {
  await at.deleteDeliveries();
  await at.prisma.endpointFlow.deleteMany();
});
afterAll(() => at.close());

const AGE = { maxHours: 72 };
const hold = (...ids: string[]) =>
  holdDeliveries(
    at.direct,
    ids.map((deliveryId) => ({ deliveryId, generation: 1, reason: 'crowded' })),
  );
const release = (endpointId: string, count: number) =>
  releaseHeld(at.prisma, new Map([[endpointId, count]]), { deliveriesPerJob: 16 });
const accept = (customerId: string, count?: number) => at.accept(customerId, count, { deliveriesPerJob: 16 });

async function anEndpoint() {
  const customerId = await at.aCustomer();
  const { id: endpointId } = await at.anEndpoint(customerId);
  return { customerId, endpointId };
}

test('a held delivery waits without deadline, job or due time; nobody sweeps it, and no job claims it', async () => {
  const { customerId } = await anEndpoint();
  const [first, second] = await accept(customerId, 2);
  expect(await hold(first?.id ?? '')).toEqual([{ deliveryId: first?.id, verdict: 'held' }]);
  const row = await at.delivery(first?.id ?? '');
  expect(row).toMatchObject({
    status: 'pending',
    holdReason: 'crowded',
    recoverAt: null,
    nextAttemptAt: null,
    jobId: null,
    generation: 1,
  });
  await at.prisma.$executeRaw`UPDATE deliveries SET recover_at = now() WHERE recover_at IS NOT NULL`;
  const swept = await armOverdueDeliveries(at.prisma, { limit: 10, rearmMs: 1_000 });
  expect(swept.map(({ deliveryId }) => deliveryId)).toEqual([second?.id]);
  expect(await at.ask(first?.id ?? '')).toMatchObject({ verdict: 'superseded' });
  expect(await hold(first?.id ?? '')).toMatchObject([{ verdict: 'superseded' }]);
});

test('what is accepted for a crowded endpoint is held at once, beside others that are not', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const other = await at.anEndpoint(customerId);
  const deliveries = await accept(customerId, 2);
  await hold(...deliveries.filter((one) => one.endpointId === endpointId).map(({ id }) => id));
  const accepted = await accept(customerId, 3);
  const held = accepted.filter(({ isHeld }) => isHeld);
  expect(held.map((one) => one.endpointId)).toEqual([endpointId, endpointId, endpointId]);
  const going = accepted.filter(({ isHeld }) => !isHeld);
  expect(going.map((one) => one.endpointId)).toEqual([other.id, other.id, other.id]);
  expect(new Set(going.map(({ jobId }) => jobId)).size).toBe(1);
  expect(held.map(({ jobId }) => jobId)).toEqual([null, null, null]);
});

test('released, the oldest come first, are due at once, and their new jobs claim them', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [first, second, third] = (await accept(customerId, 3)).map(({ id }) => id).sort();
  await hold(third ?? '', first ?? '', second ?? '');
  const released = await release(endpointId, 2);
  expect(released.map(({ deliveryId }) => deliveryId).sort()).toEqual([first, second]);
  expect(released).toMatchObject([
    { endpointId, generation: 2, maxAttempts: 3 },
    { endpointId, generation: 2 },
  ]);
  expect(new Set(released.map(({ jobId }) => jobId)).size).toBe(1);
  const row = await at.delivery(first ?? '');
  expect(row).toMatchObject({ holdReason: null, generation: 2, jobId: released[0]?.jobId });
  expect(row.recoverAt).not.toBeNull();
  expect(await at.ask(first ?? '', { generation: 1 })).toMatchObject({ verdict: 'superseded' });
  expect(await at.ask(first ?? '', { generation: 2 })).toMatchObject({ verdict: 'claimed' });
  expect(await at.delivery(third ?? '')).toMatchObject({ holdReason: 'crowded' });
});

test('it is crowded until the last one is released', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [one, two] = await accept(customerId, 2);
  await hold(one?.id ?? '', two?.id ?? '');
  await release(endpointId, 1);
  expect(await endCrowding(at.prisma, [endpointId])).toEqual([]);
  expect(await accept(customerId)).toMatchObject([{ isHeld: true }]);
  await release(endpointId, 10);
  expect(await endCrowding(at.prisma, [endpointId])).toEqual([endpointId]);
  // Every worker has to hear of it.
  expect(await endCrowding(at.prisma, [endpointId])).toEqual([endpointId]);
  expect(await accept(customerId)).toMatchObject([{ isHeld: false }]);
});

test('a delivery that is held again says since when it was first held; one that has ended does not', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [{ id } = { id: '' }] = await accept(customerId);
  await hold(id);
  const { heldSince } = await at.delivery(id);
  await release(endpointId, 1);
  await holdDeliveries(at.direct, [{ deliveryId: id, generation: 2, reason: 'crowded' }]);
  expect((await at.delivery(id)).heldSince).toEqual(heldSince);
  await release(endpointId, 1);
  await recordAttempts(at.prisma, [aRecord(await at.claim(id, { generation: 3 }))]);
  expect(await at.delivery(id)).toMatchObject({ status: 'success', holdReason: null, heldSince: null });
});

test('a late success ends a delivery that is held meanwhile', async () => {
  const { customerId } = await anEndpoint();
  const [{ id } = { id: '' }] = await accept(customerId);
  const lost = await at.claim(id, { leaseMs: -60_000 });
  await at.claim(id, { leaseMs: 0 });
  await at.prisma.$executeRaw`
    UPDATE deliveries SET lease_expires_at = NULL, next_attempt_at = NULL, recover_at = NULL, hold_reason = 'crowded'
    WHERE id = ${id}::uuid`;
  expect(await recordAttempts(at.prisma, [aRecord(lost)])).toMatchObject([{ moved: true }]);
  expect(await at.delivery(id)).toMatchObject({ status: 'success', holdReason: null });
});

test('a delivery whose worker was lost is held with its attempt on record, and that one’s late success counts', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [{ id } = { id: '' }] = await accept(customerId);
  const lost = await at.claim(id, { leaseMs: -1_000 });
  expect(await hold(id)).toEqual([{ deliveryId: id, verdict: 'held' }]);
  const row = await at.delivery(id);
  expect(row).toMatchObject({ leaseExpiresAt: null, holdReason: 'crowded', fence: 1, starts: 1 });
  expect(row.attempts).toMatchObject([{ number: 1, outcome: 'unknown' }]);
  await release(endpointId, 1);
  expect(await at.claim(id, { generation: 2, leaseMs: 0 })).toMatchObject({ fence: 2 });
  expect(await recordAttempts(at.prisma, [aRecord(lost)])).toMatchObject([{ moved: true }]);
  expect(await at.delivery(id)).toMatchObject({ status: 'success' });
});

test('what is in flight, not due yet, finished or replaced is not held', async () => {
  const { customerId } = await anEndpoint();
  const [inFlight, early, finished] = (await accept(customerId, 3)).map(({ id }) => id);
  await at.claim(inFlight ?? '');
  await at.prisma
    .$executeRaw`UPDATE deliveries SET next_attempt_at = now() + interval '1 min' WHERE id = ${early}::uuid`;
  await recordAttempts(at.prisma, [aRecord(await at.claim(finished ?? ''))]);
  const answers = await hold(inFlight ?? '', early ?? '', finished ?? '');
  const verdicts = new Map(answers.map(({ deliveryId, verdict }) => [deliveryId, verdict]));
  expect([inFlight, early, finished].map((id) => verdicts.get(id ?? ''))).toEqual(['wait', 'wait', 'finished']);
  expect(
    await holdDeliveries(at.direct, [{ deliveryId: early ?? '', generation: 0, reason: 'crowded' }]),
  ).toMatchObject([{ verdict: 'superseded' }]);
  expect(await at.prisma.endpointFlow.count({ where: { crowdedAt: { not: null } } })).toBe(0);
});

test('a locked row is passed over, by a hold and by a release', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [first, second] = (await accept(customerId, 2)).map(({ id }) => id).sort();
  const unlock = await at.lock(first ?? '');
  const answers = await hold(first ?? '', second ?? '');
  expect(answers).toEqual(expect.arrayContaining([{ deliveryId: first, verdict: 'wait', waitMs: 100 }]));
  await unlock();
  await hold(first ?? '');
  const unlockAgain = await at.lock(first ?? '');
  expect(await release(endpointId, 1)).toMatchObject([{ deliveryId: second }]);
  await unlockAgain();
});

test('every endpoint with held deliveries is found, with its oldest, at the price of these endpoints', async () => {
  const endpoints = [await anEndpoint(), await anEndpoint(), await anEndpoint()];
  const oldest = new Map<string, string | undefined>();
  for (const { customerId, endpointId } of endpoints.slice(0, 2)) {
    const ids = (await accept(customerId, 500)).map(({ id }) => id).sort();
    await hold(...ids);
    oldest.set(endpointId, ids[0]);
  }
  await at.pause(endpoints[1]?.endpointId ?? '');
  const look = aWorkersDatabase(at);
  await heldEndpoints(look.prisma, AGE);
  const before = await rowsRead(look);
  const found = await heldEndpoints(look.prisma, AGE);
  const read = (await rowsRead(look)) - before;
  await look.close();
  expect(new Map(found.map(({ endpointId, oldestId }) => [endpointId, oldestId]))).toEqual(oldest);
  expect(found.filter(({ isActive }) => isActive)).toMatchObject([{ endpointId: endpoints[0]?.endpointId }]);
  expect(read).toBeLessThan(50);
});

test.each([
  ['inactive', 'endpoint_inactive'],
  ['deleted', 'endpoint_deleted'],
])('what is held for an endpoint that is %s ends as its claim would, a part at a time', async (state, reason) => {
  const { customerId, endpointId } = await anEndpoint();
  const ids = (await accept(customerId, 3)).map(({ id }) => id);
  await hold(...ids);
  expect(await endHeld(at.prisma, endpointId, { ...AGE, limit: 2 })).toEqual([]);
  await at.pause(endpointId);
  if (state === 'deleted') {
    await at.prisma.endpoint.update({
      where: { id: endpointId },
      data: { deletedAt: new Date(), secretSealed: null },
    });
  }
  expect(await endHeld(at.prisma, endpointId, { ...AGE, limit: 2 })).toEqual([{ reason, count: 2 }]);
  expect(await endHeld(at.prisma, endpointId, { ...AGE, limit: 2 })).toEqual([{ reason, count: 1 }]);
  for (const id of ids) {
    expect(await at.delivery(id)).toMatchObject({
      status: 'cancelled',
      failureReason: reason,
      holdReason: null,
      heldSince: null,
    });
  }
});

test('a release reads its own rows, although its plan was made when nothing was held', async () => {
  const worker = aWorkersDatabase(at);
  const { customerId, endpointId } = await anEndpoint();
  const letGo = (count: number) => releaseHeld(worker.prisma, new Map([[endpointId, count]]), { deliveriesPerJob: 16 });
  await letGo(1);
  const ids = (await accept(customerId, 3_000)).map(({ id }) => id).sort();
  await hold(...ids.slice(0, 1_000));
  const before = await rowsRead(worker);
  expect(await letGo(10)).toHaveLength(10);
  const read = (await rowsRead(worker)) - before;
  await worker.close();
  expect(read).toBeLessThan(200);
});

test('an endpoint on hold gets nothing: what is accepted is held, what was waiting is to be held, and nothing is let go', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const [{ id } = { id: '' }] = await accept(customerId);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { onHold: true } });
  expect(await at.ask(id)).toEqual({ deliveryId: id, verdict: 'hold', reason: 'on_hold', endpointId });
  await holdDeliveries(at.direct, [{ deliveryId: id, generation: 1, reason: 'on_hold' }]);
  const [accepted] = await accept(customerId);
  expect(accepted).toMatchObject({ isHeld: true, jobId: null });
  for (const one of [id, accepted?.id ?? '']) expect(await at.delivery(one)).toMatchObject({ holdReason: 'on_hold' });
  expect(await heldEndpoints(at.prisma, AGE)).toMatchObject([{ endpointId, oldestId: id, isOnHold: true }]);
  expect(await release(endpointId, 10)).toEqual([]);
  expect(await at.prisma.endpointFlow.count({ where: { crowdedAt: { not: null } } })).toBe(0);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { onHold: false } });
  expect(await release(endpointId, 10)).toHaveLength(2);
});

test('ten that release at once share the work: each delivery is let go once', async () => {
  const { customerId, endpointId } = await anEndpoint();
  const ids = (await accept(customerId, 200)).map(({ id }) => id);
  await hold(...ids);
  const released = (await Promise.all(Array.from({ length: 10 }, () => release(endpointId, 30)))).flat();
  const left = await release(endpointId, 200);
  const all = [...released, ...left].map(({ deliveryId }) => deliveryId);
  expect(all.sort()).toEqual(ids.sort());
});
