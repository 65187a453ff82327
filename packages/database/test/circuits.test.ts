// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  armOverdueDeliveries,
  closeCircuit,
  closeCircuits,
  DRIFTWIRE,
  endHeld,
  heldEndpoints,
  holdDeliveries,
  openCircuit,
  putOffProbe,
  recordAttempts,
  releaseHeld,
  takeProbes,
} from '../src/index.js';
import { aRecord, type Setup, setup, toRetry } from './setup.js';

const LEASE_MS = 60_000;
const TIMES = { claimWithinMs: 10_000, leaseMs: LEASE_MS };
const AGE = { maxHours: 72 };

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(async () => {
  await at.deleteDeliveries();
  await at.prisma.endpointFlow.deleteMany();
});
afterAll(() => at.close());

async function anEndpoint() {
  const customerId = await at.aCustomer();
  const { id: endpointId, version } = await at.anEndpoint(customerId);
  return { customerId, endpointId, version };
}

const accept = (customerId: string, count?: number) => at.accept(customerId, count);
const open = ({ endpointId, version }: { endpointId: string; version: number }, forMs = 30_000) =>
  openCircuit(at.prisma, { endpointId, version, failures: 10, forMs, notBeforeMs: 0 }, { probeAfterMs: 30_000 });
const flow = (endpointId: string) => at.prisma.endpointFlow.findUniqueOrThrow({ where: { endpointId } });
const probesAreDue = () =>
  at.prisma.$executeRaw`UPDATE endpoint_flow SET next_probe_at = now() WHERE next_probe_at > now()`;
const probesAreOver = () =>
  at.prisma.$executeRaw`UPDATE endpoint_flow SET probe_until = now() WHERE probe_until > now()`;
const probe = async (endpointId: string) => (await takeProbes(at.prisma, [endpointId], TIMES))[0];
const audited = ({ endpointId }: { endpointId: string }) =>
  at.prisma.auditLine.findMany({
    where: { subjectId: endpointId, actor: 'driftwire', action: { startsWith: 'endpoint.circuit' } },
    orderBy: { id: 'asc' },
    select: { action: true, detail: true },
  });

test('a circuit is opened once, on record, and what comes for its endpoint waits: accepted, queued and retried', async () => {
  const endpoint = await anEndpoint();
  const [queued] = await accept(endpoint.customerId);
  expect(await Promise.all([open(endpoint), open(endpoint), open(endpoint)])).toEqual(
    expect.arrayContaining([true, false, false]),
  );
  expect(await audited(endpoint)).toEqual([{ action: 'endpoint.circuit_opened', detail: { failures: 10 } }]);
  const { circuitOpenedAt, nextProbeAt } = await flow(endpoint.endpointId);
  const waitMs = Number(nextProbeAt) - Number(circuitOpenedAt);
  expect(waitMs).toBeGreaterThanOrEqual(27_000);
  expect(waitMs).toBeLessThanOrEqual(33_000);

  const id = queued?.id ?? '';
  expect(await at.ask(id)).toEqual({
    deliveryId: id,
    verdict: 'hold',
    reason: 'circuit_open',
    endpointId: endpoint.endpointId,
  });
  await holdDeliveries(at.direct, [{ deliveryId: id, generation: 1, reason: 'circuit_open' }]);
  expect(await at.delivery(id)).toMatchObject({
    status: 'pending',
    holdReason: 'circuit_open',
    starts: 0,
    failedCount: 0,
  });
  const [accepted] = await accept(endpoint.customerId);
  expect(accepted).toMatchObject({ isHeld: true });
  expect(await at.delivery(accepted?.id ?? '')).toMatchObject({ holdReason: 'circuit_open' });
  expect(await releaseHeld(at.prisma, new Map([[endpoint.endpointId, 5]]), { deliveriesPerJob: 1 })).toEqual([]);
  // Nobody is told that it is crowded: what follows is another matter.
  expect(await flow(endpoint.endpointId)).toMatchObject({ crowdedAt: null });
});

test('no circuit is opened for an endpoint that has changed, or takes no deliveries, or has answered somebody else meanwhile', async () => {
  const changed = await anEndpoint();
  await at.prisma.endpoint.update({ where: { id: changed.endpointId }, data: { version: { increment: 1 } } });
  expect(await open(changed)).toBe(false);

  const paused = await anEndpoint();
  await at.pause(paused.endpointId);
  expect(await open(paused)).toBe(false);

  const answering = await anEndpoint();
  const [delivery] = await accept(answering.customerId);
  const claim = await at.claim(delivery?.id ?? '');
  await recordAttempts(at.prisma, [aRecord(claim)]);
  expect(await open(answering, 30_000)).toBe(false);
  await at.prisma.$executeRaw`UPDATE deliveries SET completed_at = now() - interval '31 s'`;
  expect(await open(answering, 30_000)).toBe(true);
  expect(await audited(answering)).toHaveLength(1);
  expect(await audited(changed)).toEqual([]);
});

test('a change of the endpoint that is about to be committed is waited for', async () => {
  const endpoint = await anEndpoint();
  const { endpointId } = endpoint;
  const changing = at.prisma.$transaction(async (transaction) => {
    await transaction.endpoint.update({ where: { id: endpointId }, data: { version: { increment: 1 } } });
    const opening = open(endpoint);
    await until(async () => (await at.waiting()) > 0);
    return { opening };
  });
  expect(await (await changing).opening).toBe(false);
});

test('the probe is the one that has failed least, is claimed as such, and no other is out before its lease is over', async () => {
  const endpoint = await anEndpoint();
  const [first, second, third] = (await accept(endpoint.customerId, 3)).map(({ id }) => id).sort();
  const claim = await at.claim(first ?? '');
  await recordAttempts(at.prisma, [aRecord(claim, toRetry(0))]);
  await open(endpoint);
  await holdDeliveries(
    at.direct,
    [first, second, third].map((deliveryId) => ({
      deliveryId: deliveryId ?? '',
      generation: 1,
      reason: 'circuit_open',
    })),
  );
  expect(await probe(endpoint.endpointId)).toBeUndefined();
  expect(await heldEndpoints(at.prisma, AGE)).toMatchObject([{ circuitIsOpen: true, probeIsDue: false }]);
  await probesAreDue();
  expect(await heldEndpoints(at.prisma, AGE)).toMatchObject([{ circuitIsOpen: true, probeIsDue: true }]);

  const both = await Promise.all([probe(endpoint.endpointId), probe(endpoint.endpointId)]);
  const [probing] = both.filter((one) => one !== undefined);
  expect(both.filter((one) => one === undefined)).toHaveLength(1);
  expect(probing).toMatchObject({ deliveryId: second, generation: 2 });
  const lastEnd = Number((await flow(endpoint.endpointId)).probeUntil);
  const claimed = await at.claim(second ?? '', { generation: 2, leaseMs: LEASE_MS, isGranted: true });
  expect(claimed.isProbe).toBe(true);
  expect(Number((await at.delivery(second ?? '')).leaseExpiresAt)).toBeLessThanOrEqual(lastEnd);
  expect(await at.delivery(second ?? '')).toMatchObject({ grantedUntil: null });
  expect(await probe(endpoint.endpointId)).toBeUndefined();
});

test('a probe that was not claimed in time is held again, and the worker that took it is not missed', async () => {
  const endpoint = await anEndpoint();
  await accept(endpoint.customerId);
  await open(endpoint);
  const [late] = await accept(endpoint.customerId);
  await probesAreDue();
  const taken = await probe(endpoint.endpointId);
  expect(taken).toMatchObject({ deliveryId: late?.id });
  // Its worker is lost: the sweeper finds it after its deadline, and by then the grant is over.
  await at.prisma.$executeRaw`
    UPDATE deliveries SET granted_until = now() - interval '1 ms', recover_at = now() WHERE id = ${late?.id}::uuid`;
  const swept = await armOverdueDeliveries(at.prisma, { limit: 10, rearmMs: 1_000 });
  expect(swept.map(({ deliveryId }) => deliveryId)).toContain(late?.id);
  expect(await at.ask(late?.id ?? '', { generation: 2 })).toMatchObject({ verdict: 'hold', reason: 'circuit_open' });
  await holdDeliveries(at.direct, [{ deliveryId: late?.id ?? '', generation: 2, reason: 'circuit_open' }]);
  expect(await probe(endpoint.endpointId)).toBeUndefined();
  await probesAreOver();
  expect(await probe(endpoint.endpointId)).toMatchObject({ deliveryId: late?.id, generation: 3 });
});

test('each probe that fails doubles the wait, up to ten minutes and from what the receiver asked for; an older one decides nothing', async () => {
  const endpoint = await anEndpoint();
  await open(endpoint);
  await accept(endpoint.customerId);
  await probesAreDue();
  const taken = await probe(endpoint.endpointId);
  const { endpointId } = endpoint;
  const deliveryId = taken?.deliveryId ?? '';
  const older = { endpointId, deliveryId: '01900000-0000-7000-8000-000000000000' };
  expect(await putOffProbe(at.prisma, older, { isFailure: true, notBeforeMs: 0 })).toBe(false);
  expect(await closeCircuit(at.prisma, older, DRIFTWIRE)).toBe(false);

  expect(await putOffProbe(at.prisma, { endpointId, deliveryId }, { isFailure: true, notBeforeMs: 0 })).toBe(true);
  const once = await flow(endpointId);
  expect(once).toMatchObject({ circuitFailures: 11, probeWaitMs: 60_000, probeDeliveryId: null, probeUntil: null });
  const waits: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await at.prisma.endpointFlow.update({
      where: { endpointId },
      data: { probeDeliveryId: deliveryId, probeUntil: new Date() },
    });
    await putOffProbe(at.prisma, { endpointId, deliveryId }, { isFailure: false, notBeforeMs: 0 });
    waits.push((await flow(endpointId)).probeWaitMs ?? 0);
  }
  expect(waits).toEqual([120_000, 240_000, 480_000, 600_000, 600_000]);
  expect(await flow(endpointId)).toMatchObject({ circuitFailures: 11 });

  await at.prisma.endpointFlow.update({
    where: { endpointId },
    data: { probeDeliveryId: deliveryId, probeUntil: new Date() },
  });
  await putOffProbe(at.prisma, { endpointId, deliveryId }, { isFailure: true, notBeforeMs: 3_600_000 });
  const [{ waitMs = 0 } = {}] = await at.prisma.$queryRaw<{ waitMs: number }[]>`
    SELECT extract(epoch FROM next_probe_at - now())::float8 * 1000 AS "waitMs" FROM endpoint_flow`;
  expect(waitMs).toBeGreaterThan(3_590_000);
});

test('a circuit that is closed lets what is held follow in its turn; what comes meanwhile waits behind it', async () => {
  const endpoint = await anEndpoint();
  await open(endpoint);
  const [first] = await accept(endpoint.customerId, 2);
  expect(await closeCircuit(at.prisma, endpoint, DRIFTWIRE)).toBe(true);
  expect(await closeCircuit(at.prisma, endpoint, DRIFTWIRE)).toBe(false);
  expect((await audited(endpoint)).map(({ action }) => action)).toEqual([
    'endpoint.circuit_opened',
    'endpoint.circuit_closed',
  ]);
  const [behind] = await accept(endpoint.customerId);
  expect(await at.delivery(behind?.id ?? '')).toMatchObject({ holdReason: 'crowded' });
  const released = await releaseHeld(at.prisma, new Map([[endpoint.endpointId, 5]]), { deliveriesPerJob: 1 });
  expect(released).toHaveLength(3);
  expect((await at.ask(first?.id ?? '', { generation: 2 })).verdict).toBe('claimed');

  // One with nothing held is not crowded, and its next delivery has a job.
  const idle = await anEndpoint();
  await open(idle);
  expect(await closeCircuits(at.prisma)).toBe(1);
  expect(await accept(idle.customerId)).toMatchObject([{ isHeld: false }]);
});

test('a probe is not taken from an endpoint that is on hold or inactive', async () => {
  const endpoint = await anEndpoint();
  await open(endpoint);
  await accept(endpoint.customerId);
  await probesAreDue();
  await at.prisma.endpoint.update({ where: { id: endpoint.endpointId }, data: { onHold: true } });
  expect(await probe(endpoint.endpointId)).toBeUndefined();
  await at.prisma.endpoint.update({ where: { id: endpoint.endpointId }, data: { onHold: false } });
  await at.pause(endpoint.endpointId);
  expect(await probe(endpoint.endpointId)).toBeUndefined();
  expect(await endHeld(at.prisma, endpoint.endpointId, { ...AGE, limit: 10 })).toEqual([
    { reason: 'endpoint_inactive', count: 1 },
  ]);
});

test('what has been held for too long ends as expired; not what a person put on hold, nor what was held again of late', async () => {
  const endpoint = await anEndpoint();
  await open(endpoint);
  const ids = (await accept(endpoint.customerId, 3)).map(({ id }) => id);
  // As old as its id says: a delivery cannot have been held for longer than it has been there.
  const [old, recent, onHold] = await Promise.all(ids.map(agedBy73Hours));
  await at.prisma.$executeRaw`UPDATE deliveries SET held_since = now() - interval '1 h' WHERE id = ${recent}::uuid`;
  await at.prisma.$executeRaw`UPDATE deliveries SET hold_reason = 'on_hold' WHERE id = ${onHold}::uuid`;
  expect(await heldEndpoints(at.prisma, AGE)).toMatchObject([{ isStale: true }]);

  await at.prisma.endpoint.update({ where: { id: endpoint.endpointId }, data: { onHold: true } });
  expect(await endHeld(at.prisma, endpoint.endpointId, { ...AGE, limit: 10 })).toEqual([]);
  await at.prisma.endpoint.update({ where: { id: endpoint.endpointId }, data: { onHold: false } });
  expect(await endHeld(at.prisma, endpoint.endpointId, { ...AGE, limit: 10 })).toEqual([
    { reason: 'expired', count: 1 },
  ]);
  expect(await at.delivery(old ?? '')).toMatchObject({
    status: 'failed',
    failureReason: 'expired',
    holdReason: null,
    heldSince: null,
  });
  // Let go after its maintenance window, it has all the time again.
  await closeCircuit(at.prisma, endpoint, DRIFTWIRE);
  await releaseHeld(at.prisma, new Map([[endpoint.endpointId, 5]]), { deliveriesPerJob: 1 });
  expect(await at.delivery(onHold ?? '')).toMatchObject({ holdReason: null, heldSince: null });
  expect((await at.delivery(recent ?? '')).heldSince).not.toBeNull();
});

/** Answers its new id. */
async function agedBy73Hours(id: string): Promise<string> {
  await at.prisma.$executeRaw`SELECT make_partitions((now() - interval '73 h')::date)`;
  const [row] = await at.prisma.$queryRaw<{ id: string }[]>`
    UPDATE deliveries SET id = uuidv7_at(now() - interval '73 h'), held_since = now() - interval '73 h'
    WHERE id = ${id}::uuid RETURNING id`;
  return row?.id ?? '';
}
