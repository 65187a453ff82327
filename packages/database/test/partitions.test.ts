import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import {
  acceptEvents,
  claimDeliveries,
  dropDay,
  expiredDays,
  makePartitionsAhead,
  recordAttempts,
} from '../src/index.js';
import { anEvent, aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const daysOfTable = (table: string) =>
  at.prisma.$queryRawUnsafe<{ name: string }[]>(
    `SELECT right(inhrelid::regclass::text, 8) AS name FROM pg_inherits WHERE inhparent = '${table}'::regclass ORDER BY 1`,
  );
const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** An event of that day with a key and a delivery, which is claimed when it may. */
async function anOldEvent(day: string, key = 'k') {
  await at.prisma.$queryRaw`SELECT make_partitions(${day}::date)`;
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const createdAt = new Date(`${day}T12:00:00Z`);
  const event = anEvent(customerId, { createdAt, idempotency: { key, bodyHash: '00' } });
  const acceptance = (await acceptEvents(at.prisma, [[event]], { maxAttempts: 3 }))[0]?.[0];
  const [delivery] = acceptance?.kind === 'created' ? acceptance.deliveries : [];
  return { customerId, eventId: event.id, deliveryId: delivery?.id ?? '' };
}

async function finish({ deliveryId }: { deliveryId: string }): Promise<void> {
  await recordAttempts(at.prisma, [aRecord(await at.claim(deliveryId))]);
}

const rowsOf = async ({ customerId }: { customerId: string }) => ({
  events: await at.prisma.driftEvent.count({ where: { customerId } }),
  deliveries: await at.prisma.delivery.count({ where: { customerId } }),
  attempts: await at.prisma.attempt.count({ where: { customerId } }),
  keys: await at.prisma.idempotencyKey.count({ where: { customerId } }),
});

test('the days to come are made once, whoever asks and however often', async () => {
  const missing = `deliveries_${dayAgo(-7).replaceAll('-', '')}`;
  await at.prisma.$executeRawUnsafe(
    `DROP TABLE ${missing.replace('deliveries', 'attempts')}, ${missing}, ${missing.replace('deliveries', 'drift_events')}`,
  );
  const made = await Promise.all([1, 2, 3].map(() => makePartitionsAhead(at.prisma)));
  expect(made.sort()).toEqual([0, 0, 1]);
  const [events, deliveries, attempts] = await Promise.all(['drift_events', 'deliveries', 'attempts'].map(daysOfTable));
  expect(deliveries).toEqual(events);
  expect(attempts).toEqual(events);
  expect(events?.at(-1)?.name).toBe(dayAgo(-7).replaceAll('-', ''));
});

test('a day past its retention is dropped with the keys of its events, and no other', async () => {
  const [old, recent] = [await anOldEvent(dayAgo(40)), await anOldEvent(dayAgo(20))];
  await Promise.all([finish(old), finish(recent)]);
  expect(await expiredDays(at.prisma, { retentionDays: 30 })).toEqual([dayAgo(40)]);
  expect(await dropDay(at.prisma, dayAgo(40))).toEqual({ day: dayAgo(40), became: 'dropped', purgedKeys: 1 });
  expect(await rowsOf(old)).toEqual({ events: 0, deliveries: 0, attempts: 0, keys: 0 });
  expect(await rowsOf(recent)).toEqual({ events: 1, deliveries: 1, attempts: 1, keys: 1 });
  expect(await expiredDays(at.prisma, { retentionDays: 30 })).toEqual([]);
  const answers = await claimDeliveries(at.prisma, [{ deliveryId: old.deliveryId, generation: 1 }], {
    leaseMs: 60_000,
  });
  expect(answers).toEqual([{ deliveryId: old.deliveryId, verdict: 'missing' }]);
});

test('a day counts as past when it ended that many days ago, not when it began', async () => {
  await anOldEvent(dayAgo(30));
  expect(await expiredDays(at.prisma, { retentionDays: 30 })).toEqual([]);
  expect(await expiredDays(at.prisma, { retentionDays: 29 })).toEqual([dayAgo(30)]);
});

test('a day with an unfinished delivery keeps everything, until that one is at its end', async () => {
  const old = await anOldEvent(dayAgo(50));
  expect(await dropDay(at.prisma, dayAgo(50))).toEqual({ day: dayAgo(50), became: 'unfinished', purgedKeys: 0 });
  expect(await rowsOf(old)).toEqual({ events: 1, deliveries: 1, attempts: 0, keys: 1 });
  await finish(old);
  expect((await dropDay(at.prisma, dayAgo(50))).became).toBe('dropped');
});

test('while somebody reads, the drop gives way, and nobody waits for it longer than a moment', async () => {
  const old = await anOldEvent(dayAgo(60));
  await finish(old);
  const reader = new pg.Client({ connectionString: at.url });
  await reader.connect();
  await reader.query('BEGIN');
  await reader.query('SELECT count(*) FROM deliveries');
  const startedAt = performance.now();
  const [became, others] = await Promise.all([dropDay(at.prisma, dayAgo(60)), at.aDelivery()]);
  expect(became.became).toBe('busy');
  expect(others.id).not.toBe('');
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  await reader.query('COMMIT');
  await reader.end();
  expect((await dropDay(at.prisma, dayAgo(60))).became).toBe('dropped');
});

test('a manual retry of an old delivery keeps its day', async () => {
  const old = await anOldEvent(dayAgo(70));
  await finish(old);
  await at.prisma.delivery.update({
    where: { id: old.deliveryId },
    data: { status: 'pending', completedAt: null, recoverAt: new Date(), nextAttemptAt: new Date() },
  });
  expect((await dropDay(at.prisma, dayAgo(70))).became).toBe('unfinished');
});
