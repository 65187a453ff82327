import { type AttemptRecord, type Claim, type ClaimAnswer, isPostgresUnavailable } from '@driftwire/database';
import { expect, test } from '@jest/globals';
import { createDeliveryStatements, DeliveryLocked } from '../src/delivery-statements.js';
import { postDelivery } from './delivery.js';
import { useStackWithDatabase } from './stack-with-database.js';

const { stack, database } = useStackWithDatabase();

/** The worker's own statements, and the size of every batch they went out in. */
function statements({ isBusy = (): boolean => false } = {}) {
  const batches: string[] = [];
  const observeBatch = (statement: string, rows: number) => batches.push(`${statement} ${rows}`);
  const options = { leaseMs: 60_000, fenced: true, isBusy, observeBatch, readClock: () => {} };
  return { ...createDeliveryStatements(database(), options), batches };
}

async function someJobs(count: number) {
  const deliveries = await Promise.all(Array.from({ length: count }, () => postDelivery(stack())));
  return deliveries.map(({ id }) => ({ deliveryId: id, generation: 1 }));
}

const verdicts = (answers: readonly ClaimAnswer[]) => answers.map(({ verdict }) => verdict);

test('jobs that come together are claimed by one statement, each answered for its own delivery; one that came twice only once', async () => {
  const { claim, batches } = statements();
  const jobs = await someJobs(3);
  const answers = await Promise.all([...jobs, ...jobs.slice(0, 1)].map(claim));
  const [first, second, third, again] = verdicts(answers);
  expect([second, third]).toEqual(['claimed', 'claimed']);
  // In statements of their own that run side by side: either may be the one that finds the row free.
  expect([first, again].sort()).toEqual(['claimed', 'wait']);
  expect(answers.map(({ deliveryId }) => deliveryId)).toEqual(
    [...jobs, ...jobs.slice(0, 1)].map((job) => job.deliveryId),
  );
  expect(batches).toEqual(['claim 3', 'claim 1']);
});

test('a few claims go at once, in statements of their own; while many are on their way the next ones share one', async () => {
  const { claim, batches } = statements();
  const jobs = await someJobs(14);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const answers: Promise<ClaimAnswer>[] = [];
  for (const part of [jobs.slice(0, 1), jobs.slice(1, 2), jobs.slice(2, 10), jobs.slice(10, 12), jobs.slice(12)]) {
    answers.push(...part.map(claim));
    await turn();
  }
  expect(new Set(verdicts(await Promise.all(answers)))).toEqual(new Set(['claimed']));
  expect(batches).toEqual(['claim 1', 'claim 1', 'claim 8', 'claim 4']);
});

test('it depends on the worker’s room whether a record waits for company; a claim never asks', async () => {
  const asked: string[] = [];
  const { claim, record, batches } = statements({
    isBusy: () => {
      asked.push(batches.at(-1) ?? '');
      return true;
    },
  });
  const [job] = await someJobs(1);
  if (!job) throw new Error('no job');
  const one = claimed(await claim(job));
  expect(asked).toEqual([]);
  await record(aSuccess(one, 'ok'));
  expect(asked).toEqual(['claim 1']);
});

test('a record of an old day that is not whole is reported alone, and is worth repeating; those beside it are recorded', async () => {
  const { claim, record } = statements();
  const jobs = [...(await someJobs(4)), await aJobOfADayThatIsNotWhole()];
  const claims = (await Promise.all(jobs.map(claim))).map(claimed);
  const settled = await Promise.allSettled(claims.map((one) => record(aSuccess(one, 'ok'))));
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(settled.slice(0, 4).map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'));
  expect(failures.map(isPostgresUnavailable)).toEqual([true]);
});

/** Nobody makes a partition of a day that is so long ago. */
async function aJobOfADayThatIsNotWhole() {
  const { prisma } = database();
  const { eventId } = await prisma.delivery.findUniqueOrThrow({ where: { id: (await postDelivery(stack())).id } });
  const [old] = await prisma.$queryRaw<{ at: Date; day: string }[]>`
    SELECT now() - interval '20 days' AS at, to_char((now() - interval '20 days') AT TIME ZONE 'UTC', 'YYYYMMDD') AS day,
      make_partitions((now() AT TIME ZONE 'UTC')::date - 20)`;
  if (old === undefined) throw new Error('no day');
  const [event] = await prisma.$queryRaw<{ id: string }[]>`
    INSERT INTO drift_events SELECT uuidv7_at(${old.at}), customer_id, event_type, drift_type, severity, request_id,
      occurred_at, body, ${old.at} FROM drift_events WHERE id = ${eventId}::uuid RETURNING id`;
  const [delivery] = await prisma.$queryRaw<{ id: string }[]>`
    INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
    SELECT uuidv7_at(${old.at}), customer_id, ${event?.id}::uuid, endpoint_id, event_type, 3, now(), now(), ${old.at}
    FROM deliveries WHERE event_id = ${eventId}::uuid RETURNING id`;
  await prisma.$executeRawUnsafe(`ALTER TABLE attempts DETACH PARTITION attempts_${old.day}`);
  return { deliveryId: delivery?.id ?? '', generation: 1 };
}

test('one record that Postgres cannot store is reported alone; those beside it are recorded', async () => {
  const { claim, record } = statements();
  const claims = (await Promise.all((await someJobs(5)).map(claim))).map(claimed);
  const records = claims.map((one, index) => aSuccess(one, index === 2 ? '\u0000' : 'ok'));
  const settled = await Promise.allSettled(records.map(record));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(
    await database().prisma.attempt.count({ where: { deliveryId: { in: claims.map((one) => one.deliveryId) } } }),
  ).toBe(4);
});

test('a record whose row is locked is told so at once, and those beside it are recorded', async () => {
  const { claim, record } = statements();
  const claims = (await Promise.all((await someJobs(2)).map(claim))).map(claimed);
  const settled = await database().prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM deliveries WHERE id = ${claims[0]?.deliveryId}::uuid FOR UPDATE`;
    return Promise.allSettled(claims.map((one) => record(aSuccess(one, 'ok'))));
  });
  expect(settled).toMatchObject([
    { status: 'rejected', reason: expect.any(DeliveryLocked) },
    { status: 'fulfilled', value: { moved: true } },
  ]);
});

function claimed(answer: ClaimAnswer): Claim {
  if (answer.verdict !== 'claimed') throw new Error(`${answer.verdict} instead of claimed`);
  return answer.claim;
}

function aSuccess(claim: Claim, body: string): AttemptRecord {
  return {
    deliveryId: claim.deliveryId,
    number: claim.fence,
    round: claim.round,
    startedAt: new Date(),
    durationMs: 1,
    phases: {},
    requestHeaders: {},
    outcome: 'response',
    response: { status: 200, headers: {}, body },
    error: null,
    transition: { to: 'success' },
  };
}
