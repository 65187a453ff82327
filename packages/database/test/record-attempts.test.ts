import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type AttemptRecord, DRIFTWIRE, recordAttempts, retryFinishedDelivery } from '../src/index.js';
import { aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const record = (...records: AttemptRecord[]) => recordAttempts(at.prisma, records);
async function moved(entry: AttemptRecord): Promise<boolean | undefined> {
  return (await record(entry))[0]?.moved;
}

test('a success ends the delivery and keeps the whole attempt', async () => {
  const { id } = await at.aDelivery();
  const claim = await at.claim(id);
  expect(await record(aRecord(claim))).toEqual([
    { deliveryId: id, number: 1, moved: true, generation: 1, locked: false },
  ]);
  expect(await at.delivery(id)).toMatchObject({
    status: 'success',
    failureReason: null,
    failedCount: 0,
    responseCode: 200,
    lastError: null,
    leaseExpiresAt: null,
    recoverAt: null,
    nextAttemptAt: null,
    completedAt: expect.any(Date),
    attempts: [
      {
        number: 1,
        round: 1,
        outcome: 'response',
        durationMs: 12.5,
        phases: { first_byte: 10 },
        requestHeaders: { 'X-Webhook-Attempt': '1' },
        responseCode: 200,
        responseHeaders: { 'x-a': ['1', '2'] },
        responseBody: 'ok',
        error: null,
      },
    ],
  });
});

test('a failure that is retried: retrying, counted, due after the delay, the deadline behind it', async () => {
  const { id } = await at.aDelivery();
  expect(await moved(aRecord(await at.claim(id), toRetry(60_000)))).toBe(true);
  const row = await at.delivery(id);
  expect(row).toMatchObject({ status: 'retrying', failedCount: 1, responseCode: 500, completedAt: null });
  expect((row.nextAttemptAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(58_000);
  expect(row.recoverAt?.getTime()).toBeGreaterThan(row.nextAttemptAt?.getTime() ?? 0);
});

test('a failure that is final: failed, with its reason and without a next attempt', async () => {
  const { id } = await at.aDelivery();
  const refused = { outcome: 'refused', response: null, error: 'Connection refused' } as const;
  expect(await moved(aRecord(await at.claim(id), { ...toFailed('exhausted'), ...refused }))).toBe(true);
  const ended = { status: 'failed', failureReason: 'exhausted', nextAttemptAt: null, recoverAt: null };
  expect(await at.delivery(id)).toMatchObject({ ...ended, responseCode: null, lastError: 'Connection refused' });
});

test('the same record twice is one attempt, counted once, and gets the same answer', async () => {
  const { id } = await at.aDelivery();
  const failure = aRecord(await at.claim(id), toRetry(60_000));
  expect(await moved(failure)).toBe(true);
  const before = await at.delivery(id);
  expect(await moved(failure)).toBe(true);
  expect(await at.delivery(id)).toEqual(before);
  expect(before).toMatchObject({ failedCount: 1, attempts: [{ number: 1 }] });
});

test('a late failure, after the lease was lost, changes nothing', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  await at.claim(id);
  const before = await at.delivery(id);
  expect(await moved(aRecord(lost, toFailed('gone')))).toBe(false);
  expect(await at.delivery(id)).toEqual(before);
});

test('a late success ends the delivery although another attempt is in flight; its own stays unknown, with its response', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  const current = await at.claim(id);
  expect(await moved(aRecord(lost))).toBe(true);
  const row = await at.delivery(id);
  expect(row).toMatchObject({ status: 'success', leaseExpiresAt: null, recoverAt: null });
  expect(row.attempts.slice(0, 1)).toMatchObject(
    [{ number: 1, outcome: 'unknown', responseCode: 200, error: /late/ }].map(withText),
  );
  expect(await moved(aRecord(current, toRetry()))).toBe(false);
  expect(await at.delivery(id)).toMatchObject({ status: 'success', attempts: [{ number: 1 }, { number: 2 }] });
});

test('a late success that is on record and has not moved its delivery moves it when it is repeated', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  await at.claim(id, { leaseMs: 0 });
  await record(aRecord(lost));
  // As if Postgres had passed over the row: docs/adr/0011-only-what-came-back-was-written.md.
  await at.prisma.delivery.update({
    where: { id },
    data: { status: 'pending', completedAt: null, nextAttemptAt: new Date(), recoverAt: new Date() },
  });
  expect(await moved(aRecord(lost))).toBe(true);
  expect(await at.delivery(id)).toMatchObject({
    status: 'success',
    attempts: [{ outcome: 'unknown', responseCode: 200 }, {}],
  });
});

test('an attempt in flight when a late success ends its delivery is on record, although its worker may be lost', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  const current = await at.claim(id);
  await record(aRecord(lost));
  const overtaken = { number: 2, round: 1, outcome: 'unknown', responseCode: null };
  expect((await at.delivery(id)).attempts[1]).toMatchObject({
    ...overtaken,
    error: expect.stringMatching(/in flight/),
  });

  await record(aRecord(current, { ...toRetry(), error: 'the receiver answered 500' }));
  const told = { outcome: 'response', responseCode: 500, error: 'the receiver answered 500' };
  expect((await at.delivery(id)).attempts[1]).toMatchObject(told);
});

test('a late success turns even failed and cancelled into success', async () => {
  const [failed, cancelled] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const lost = await Promise.all([failed, cancelled].map(({ id }) => at.claim(id, { leaseMs: 0 })));
  await record(aRecord(await at.claim(failed.id), toFailed()));
  const pause = { active: false, inactiveReason: 'paused' } as const;
  await at.prisma.endpoint.update({ where: { id: cancelled.endpointId }, data: pause });
  await at.ask(cancelled.id);
  expect(await Promise.all(lost.map((claim) => moved(aRecord(claim))))).toEqual([true, true]);
  for (const { id } of [failed, cancelled]) {
    expect(await at.delivery(id)).toMatchObject({ status: 'success', failureReason: null });
  }
});

test('a failure of an old attempt that arrives after a later success leaves it a success', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  await record(aRecord(await at.claim(id)));
  const before = await at.delivery(id);
  expect(await moved(aRecord(lost, toFailed()))).toBe(false);
  expect(await at.delivery(id)).toEqual(before);
});

test('an attempt still in flight when a late success and a manual retry came cannot fail the new round', async () => {
  const { id } = await at.aDelivery();
  const lost = await at.claim(id, { leaseMs: 0 });
  const slow = await at.claim(id);
  await record(aRecord(lost));
  await retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE);
  expect((await at.claim(id, { generation: 2 })).fence).toBe(3);
  expect(await moved(aRecord(slow, toFailed()))).toBe(false);
  expect(await at.delivery(id)).toMatchObject({ status: 'pending', failedCount: 0, leaseExpiresAt: expect.any(Date) });
});

test('of two late successes the first one ends the delivery', async () => {
  const { id } = await at.aDelivery();
  const first = await at.claim(id, { leaseMs: 0 });
  const second = await at.claim(id, { leaseMs: 0 });
  await at.claim(id);
  expect([await moved(aRecord(first)), await moved(aRecord(second))]).toEqual([true, false]);
  expect((await at.delivery(id)).attempts.map(({ responseCode }) => responseCode)).toEqual([200, 200, null]);
});

test('a lease that ran out but was not taken over still counts', async () => {
  const { id } = await at.aDelivery();
  expect(await moved(aRecord(await at.claim(id, { leaseMs: 0 }), toRetry()))).toBe(true);
});

test('in one statement: each delivery for itself, one that does not exist hurts nobody', async () => {
  const [a, b] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const claims = await Promise.all([at.claim(a.id), at.claim(b.id)]);
  const ghost = aRecord(claims[0], { deliveryId: randomUUID() });
  const answers = await record(aRecord(claims[1], toRetry()), ghost, aRecord(claims[0]));
  const movedById = Object.fromEntries(answers.map((answer) => [answer.deliveryId, answer.moved]));
  expect(movedById).toEqual({ [a.id]: true, [b.id]: true, [ghost.deliveryId]: false });
  expect((await at.delivery(a.id)).status).toBe('success');
  expect((await at.delivery(b.id)).status).toBe('retrying');
});

test('a locked row is skipped at once, says so, and delays no other; unlocked, it is recorded', async () => {
  const [locked, free] = [await at.aDelivery(), await at.aDelivery()];
  const records = [aRecord(await at.claim(locked.id)), aRecord(await at.claim(free.id))] as const;
  const client = new pg.Client({ connectionString: at.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [locked.id]);
  const answers = await record(...records);
  await client.query('COMMIT');
  await client.end();
  expect(answers.filter((answer) => answer.locked)).toEqual([
    { deliveryId: locked.id, number: 1, moved: false, generation: 0, locked: true },
  ]);
  expect(answers.filter((answer) => answer.moved).map(({ deliveryId }) => deliveryId)).toEqual([free.id]);
  expect((await at.delivery(locked.id)).attempts).toEqual([]);
  expect(await moved(records[0])).toBe(true);
});

function withText<T extends { error: RegExp }>(attempt: T) {
  return { ...attempt, error: expect.stringMatching(attempt.error) };
}
