import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { claimDeliveries, recordAttempts } from '../src/index.js';
import { aRecord, type Setup, setup, toFailed } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const inFuture = (ms: number) => new Date(Date.now() + ms);

test('a due delivery is claimed: fence 1, a lease on the clock of the database, the deadline not behind its end', async () => {
  const { id, customerId, endpointId } = await at.aDelivery();
  expect(await at.claim(id, { leaseMs: 60_000 })).toMatchObject({
    deliveryId: id,
    customerId,
    fence: 1,
    round: 1,
    failedCount: 0,
    maxAttempts: 3,
    body: expect.stringContaining('"event_type"'),
    endpoint: { id: endpointId, version: 1, secretSealed: 'sealed secret', previousSecretSealed: null },
  });
  const row = await at.delivery(id);
  expect(row).toMatchObject({ status: 'pending', starts: 1, fence: 1, claimedGeneration: 1, attempts: [] });
  const leaseMs = (row.leaseExpiresAt?.getTime() ?? 0) - (row.lastAttemptAt?.getTime() ?? 0);
  expect(leaseMs).toBe(60_000);
  expect(row.recoverAt?.getTime()).toBeLessThan(row.leaseExpiresAt?.getTime() ?? 0);
});

test('a claim brings a later deadline forward to the end of its lease, and leaves an earlier one alone', async () => {
  const [waiting, fresh] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  await at.setDeadline(waiting.id, 900_000);
  const before = await at.delivery(fresh.id);
  await at.claim(waiting.id, { leaseMs: 60_000 });
  await at.claim(fresh.id, { leaseMs: 60_000 });
  const row = await at.delivery(waiting.id);
  expect(row.recoverAt).toEqual(row.leaseExpiresAt);
  expect((await at.delivery(fresh.id)).recoverAt).toEqual(before.recoverAt);
});

test('a delivery in flight makes the second claim wait for the lease', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: 60_000 });
  const answer = await at.ask(id);
  expect(answer).toMatchObject({ verdict: 'wait', waitMs: expect.any(Number) });
  expect(answer.verdict === 'wait' && answer.waitMs).toBeGreaterThan(58_000);
});

test('of twenty claims at the same moment one gets it', async () => {
  const { id } = await at.aDelivery();
  const answers = await Promise.all(Array.from({ length: 20 }, () => at.ask(id)));
  expect(answers.filter(({ verdict }) => verdict === 'claimed')).toHaveLength(1);
  expect(answers.filter(({ verdict }) => verdict === 'wait')).toHaveLength(19);
});

test('what is due later waits for the time that is left; 100 ms too early is early enough', async () => {
  const [later, soon] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  await at.prisma.delivery.update({ where: { id: later.id }, data: { nextAttemptAt: inFuture(5000) } });
  await at.prisma.delivery.update({ where: { id: soon.id }, data: { nextAttemptAt: inFuture(90) } });
  const answer = await at.ask(later.id);
  expect(answer.verdict === 'wait' && answer.waitMs).toBeGreaterThan(4000);
  expect(answer.verdict === 'wait' && answer.waitMs).toBeLessThanOrEqual(5001);
  expect((await at.ask(soon.id)).verdict).toBe('claimed');
});

test('a lease that ran out leaves an unknown attempt and the next fence', async () => {
  const { id } = await at.aDelivery();
  await at.claim(id, { leaseMs: 0 });
  expect(await at.claim(id)).toMatchObject({ fence: 2, failedCount: 0 });
  const row = await at.delivery(id);
  expect(row).toMatchObject({ starts: 2, fence: 2, failedCount: 0 });
  expect(row.attempts).toMatchObject([{ number: 1, round: 1, outcome: 'unknown', responseCode: null }]);
  expect(row.attempts[0]?.error).toMatch(/interrupted/);
});

test('after ten starts without an outcome a delivery ends failed/indeterminate, its last attempt on record', async () => {
  const { id } = await at.aDelivery();
  for (let start = 1; start <= 10; start += 1) expect((await at.claim(id, { leaseMs: 0 })).fence).toBe(start);
  expect(await at.ask(id)).toEqual({ deliveryId: id, verdict: 'ended', reason: 'indeterminate' });
  const row = await at.delivery(id);
  expect(row).toMatchObject({
    status: 'failed',
    failureReason: 'indeterminate',
    responseCode: null,
    lastError: expect.stringMatching(/^interrupted/),
    recoverAt: null,
    leaseExpiresAt: null,
  });
  expect(row.attempts.map(({ number, outcome }) => [number, outcome])).toEqual(
    Array.from({ length: 10 }, (_, n) => [n + 1, 'unknown']),
  );
  expect(await at.ask(id)).toEqual({ deliveryId: id, verdict: 'finished' });
});

test('an inactive or deleted endpoint cancels, and nothing is to be sent', async () => {
  const [paused, deleted] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const pause = { active: false, inactiveReason: 'paused' } as const;
  await at.prisma.endpoint.update({ where: { id: paused.endpointId }, data: pause });
  const remove = { deletedAt: new Date(), secretSealed: null };
  await at.prisma.endpoint.update({ where: { id: deleted.endpointId }, data: remove });
  expect(await at.ask(paused.id)).toMatchObject({ verdict: 'ended', reason: 'endpoint_inactive' });
  expect(await at.ask(deleted.id)).toMatchObject({ verdict: 'ended', reason: 'endpoint_deleted' });
  const cancelled = { status: 'cancelled', recoverAt: null, nextAttemptAt: null, completedAt: expect.any(Date) };
  expect(await at.delivery(paused.id)).toMatchObject({ ...cancelled, failureReason: 'endpoint_inactive', starts: 0 });
  expect(await at.delivery(deleted.id)).toMatchObject({ ...cancelled, failureReason: 'endpoint_deleted' });
});

test('an endpoint paused while a worker was lost: cancelled, with the interrupted attempt on record', async () => {
  const { id, endpointId } = await at.aDelivery();
  await at.claim(id, { leaseMs: 0 });
  const pause = { active: false, inactiveReason: 'paused' } as const;
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: pause });
  await at.ask(id);
  const row = await at.delivery(id);
  expect(row).toMatchObject({
    status: 'cancelled',
    lastError: expect.stringMatching(/^interrupted/),
    attempts: [{ number: 1, outcome: 'unknown' }],
  });
});

test('finished, superseded and missing are told apart', async () => {
  const [finished, superseded] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const claim = await at.claim(finished.id);
  await recordAttempts(at.prisma, [aRecord(claim, toFailed())]);
  await at.prisma.delivery.update({ where: { id: superseded.id }, data: { generation: 3 } });
  const missing = randomUUID();
  expect(await at.ask(finished.id)).toEqual({ deliveryId: finished.id, verdict: 'finished' });
  expect(await at.ask(superseded.id, { generation: 2 })).toEqual({ deliveryId: superseded.id, verdict: 'superseded' });
  expect(await at.ask(missing)).toEqual({ deliveryId: missing, verdict: 'missing' });
  expect((await at.ask(superseded.id, { generation: 3 })).verdict).toBe('claimed');
});

test('the same id twice in one claim is claimed once, for its newest job', async () => {
  const { id } = await at.aDelivery();
  await at.prisma.delivery.update({ where: { id }, data: { generation: 2 } });
  const jobs = [2, 1, 2].map((generation) => ({ deliveryId: id, generation }));
  const answers = await claimDeliveries(at.direct, jobs, { leaseMs: 60_000 });
  expect(answers).toMatchObject([{ deliveryId: id, verdict: 'claimed' }]);
  expect((await at.delivery(id)).starts).toBe(1);
});

test('a locked row is skipped at once and delays nobody', async () => {
  const [locked, free] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const client = new pg.Client({ connectionString: at.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [locked.id]);
  const startedAt = performance.now();
  const jobs = [locked, free].map(({ id }) => ({ deliveryId: id, generation: 1 }));
  const answers = await claimDeliveries(at.direct, jobs, { leaseMs: 60_000 });
  expect(performance.now() - startedAt).toBeLessThan(1000);
  await client.end();
  const verdicts = Object.fromEntries(answers.map(({ deliveryId, verdict }) => [deliveryId, verdict]));
  expect(verdicts).toEqual({ [locked.id]: 'wait', [free.id]: 'claimed' });
});

test('the previous secret comes along only while its overlap lasts', async () => {
  const [during, after] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const rotate = (id: string, ms: number) =>
    at.prisma.endpoint.update({
      where: { id },
      data: { previousSecretSealed: 'older', previousSecretExpiresAt: inFuture(ms) },
    });
  await Promise.all([rotate(during.endpointId, 60_000), rotate(after.endpointId, -1)]);
  expect((await at.claim(during.id)).endpoint.previousSecretSealed).toBe('older');
  expect((await at.claim(after.id)).endpoint.previousSecretSealed).toBeNull();
});
