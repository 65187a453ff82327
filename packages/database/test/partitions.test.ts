import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import {
  acceptEvents,
  claimDeliveries,
  connectDatabase,
  dropDay,
  expiredDays,
  isPostgresUnavailable,
  makePartitionsAhead,
  type PrismaClient,
  partitionDaysAhead,
  recordAttempts,
} from '../src/index.js';
import { anEvent, aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
  // What it is cloned from may have been migrated yesterday.
  await makePartitionsAhead(at.prisma);
});
afterAll(() => at.close());

const daysOfTable = (table: string) =>
  at.prisma.$queryRawUnsafe<{ name: string }[]>(
    `SELECT right(inhrelid::regclass::text, 8) AS name FROM pg_inherits WHERE inhparent = '${table}'::regclass ORDER BY 1`,
  );
const expired = (retentionDays: number, now = new Date()) => expiredDays(at.prisma, { retentionDays, now });
const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** An event of that day with a key and a delivery, which is claimed when it may. */
async function anOldEvent(day: string, key = 'k') {
  await at.prisma.$queryRaw`SELECT make_partitions(${day}::date)`;
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const createdAt = new Date(`${day}T12:00:00Z`);
  const event = anEvent(customerId, { createdAt, idempotency: { key, bodyHash: '00' } });
  const acceptance = (await acceptEvents(at.direct, [[event]], { maxAttempts: 3 }))[0]?.[0];
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
  expect(await expired(30)).toEqual([dayAgo(40)]);
  expect(await dropDay(at.prisma, dayAgo(40))).toEqual({ day: dayAgo(40), became: 'dropped', purgedKeys: 1 });
  expect(await rowsOf(old)).toEqual({ events: 0, deliveries: 0, attempts: 0, keys: 0 });
  expect(await rowsOf(recent)).toEqual({ events: 1, deliveries: 1, attempts: 1, keys: 1 });
  expect(await expired(30)).toEqual([]);
  const answers = await claimDeliveries(at.direct, [{ deliveryId: old.deliveryId, generation: 1 }], {
    leaseMs: 60_000,
  });
  expect(answers).toEqual([{ deliveryId: old.deliveryId, verdict: 'missing' }]);
});

test('a day counts as past when it ended that many days ago, not when it began', async () => {
  await anOldEvent(dayAgo(30));
  expect(await expired(30)).toEqual([]);
  expect(await expired(29)).toEqual([dayAgo(30)]);
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

const today = () => dayAgo(0);
const partOf = (table: string, day: string) => `${table}_${day.replaceAll('-', '')}`;
const TABLES = ['drift_events', 'deliveries', 'attempts'];
const run = (sql: string) => at.prisma.$executeRawUnsafe(sql);

async function detach(day: string, tables = TABLES): Promise<void> {
  for (const table of tables.toReversed()) await run(`ALTER TABLE ${table} DETACH PARTITION ${partOf(table, day)}`);
}

const isWhole = async (day: string) => {
  const [row] = await at.prisma.$queryRaw<{ attached: number }[]>`SELECT attached_partitions(${day}::date) AS attached`;
  return row?.attached === 3;
};

async function accept(createdAt: Date) {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const event = anEvent(customerId, { createdAt });
  const acceptance = (await acceptEvents(at.direct, [[event]], { maxAttempts: 3 }))[0]?.[0];
  return acceptance?.kind === 'created' ? acceptance.deliveries.map(({ id }) => id) : [];
}

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

test.each([[['drift_events']], [['deliveries']], [['attempts']], [TABLES]])(
  'a day of which %j was detached is attached again with all that is in it',
  async (tables) => {
    const { id } = await at.aDelivery();
    await detach(today(), tables);
    expect(await isWhole(today())).toBe(false);
    expect(await partitionDaysAhead(at.prisma)).toBe(0);
    expect(await makePartitionsAhead(at.prisma)).toBe(1);
    expect(await isWhole(today())).toBe(true);
    expect(await partitionDaysAhead(at.prisma)).toBe(8);
    await finish({ deliveryId: id });
    expect(await at.delivery(id)).toMatchObject({ status: 'success', attempts: [{ number: 1 }] });
  },
);

test('a table of which only one was dropped is made anew', async () => {
  const day = dayAgo(-6);
  await run(`DROP TABLE ${partOf('deliveries', day)}`);
  expect(await partitionDaysAhead(at.prisma)).toBe(6);
  expect(await makePartitionsAhead(at.prisma)).toBe(1);
  expect(await isWhole(day)).toBe(true);
});

test('detaching that was begun and not completed is completed, and the day attached again', async () => {
  const day = dayAgo(-5);
  const reader = new pg.Client({ connectionString: at.url });
  const detacher = new pg.Client({ connectionString: at.url });
  await Promise.all([reader.connect(), detacher.connect()]);
  await reader.query('BEGIN');
  await reader.query('SELECT count(*) FROM drift_events');
  // It waits for the reader between its two transactions, and is broken off there.
  await detacher.query("SET statement_timeout = '300ms'");
  const detaching = detacher.query(
    `ALTER TABLE drift_events DETACH PARTITION ${partOf('drift_events', day)} CONCURRENTLY`,
  );
  await expect(detaching).rejects.toThrow('statement timeout');
  await reader.query('COMMIT');
  await Promise.all([reader.end(), detacher.end()]);
  expect(await isWhole(day)).toBe(false);
  await makePartitionsAhead(at.prisma);
  expect(await isWhole(day)).toBe(true);
});

test('a day that cannot be made keeps no other from being made, and is reported', async () => {
  const [broken, missing] = [dayAgo(-4), dayAgo(-7)];
  await detach(broken, ['attempts']);
  await run(`ALTER TABLE ${partOf('attempts', broken)} DROP COLUMN error`);
  await run(`DROP TABLE ${TABLES.toReversed().map((table) => partOf(table, missing))}`);
  await expect(makePartitionsAhead(at.prisma)).rejects.toThrow('error');
  expect(await isWhole(missing)).toBe(true);
  expect(await partitionDaysAhead(at.prisma)).toBe(4);
  await run(`DROP TABLE ${partOf('attempts', broken)}`);
  expect(await makePartitionsAhead(at.prisma)).toBe(1);
});

test.each([-8, -3, 8, 10, 30])(
  'an event of a day without partition (%d from today) is stored, and its day made',
  async (days) => {
    const day = dayAgo(-days);
    await run(`DROP TABLE IF EXISTS ${TABLES.toReversed().map((table) => partOf(table, day))}`);
    expect(await accept(inDays(days))).toHaveLength(1);
    expect(await isWhole(day)).toBe(true);
  },
);

test('many that come at once for a day without partition are all stored', async () => {
  const stored = await Promise.all(Array.from({ length: 8 }, () => accept(inDays(20))));
  expect(stored.flat()).toHaveLength(8);
});

test.each([-9, 31, 40_000, 2_000_000])(
  'an event of a day that is not near (%d from today) makes nothing, and is no bug',
  async (days) => {
    const before = await daysOfTable('drift_events');
    const refused = await accept(inDays(days)).catch((error: unknown) => error);
    expect(isPostgresUnavailable(refused)).toBe(true);
    expect(await daysOfTable('drift_events')).toEqual(before);
  },
);

test('an event of a day that cannot be made is no bug either, and the cause is told', async () => {
  const day = dayAgo(-3);
  await detach(day, ['attempts', 'drift_events']);
  await run(`ALTER TABLE ${partOf('drift_events', day)} DROP COLUMN occurred_at`);
  const refused = await accept(inDays(3)).catch((error: unknown) => error);
  expect(isPostgresUnavailable(refused)).toBe(true);
  expect(refused).toMatchObject({ name: 'NoPartition', cause: { message: expect.stringContaining('occurred_at') } });
  await run(`DROP TABLE ${TABLES.toReversed().map((table) => partOf(table, day))}`);
});

test('an attempt whose day was detached is recorded: its partition is attached again', async () => {
  const [recorded, interrupted] = await Promise.all([at.aDelivery(), at.aDelivery()]);
  const claim = await at.claim(recorded.id);
  await at.claim(interrupted.id, { leaseMs: 0 });
  await detach(today(), ['attempts']);
  expect(await recordAttempts(at.prisma, [aRecord(claim)])).toMatchObject([{ moved: true }]);
  await detach(today(), ['attempts']);
  expect(await at.claim(interrupted.id)).toMatchObject({ fence: 2 });
  expect((await at.delivery(interrupted.id)).attempts).toMatchObject([{ number: 1, outcome: 'unknown' }]);
});

test('a past day is dropped although one of its tables was detached or is not there', async () => {
  const [detached, halved] = [await anOldEvent(dayAgo(80)), await anOldEvent(dayAgo(81))];
  await Promise.all([finish(detached), finish(halved)]);
  await detach(dayAgo(80), ['drift_events']);
  await run(`DROP TABLE ${partOf('attempts', dayAgo(81))}`);
  await run('CREATE TABLE drift_events_archive (LIKE drift_events INCLUDING CONSTRAINTS)');
  await run(
    `ALTER TABLE drift_events ATTACH PARTITION drift_events_archive FOR VALUES FROM ('00000000-0000-0000-0000-000000000000') TO ('00000000-0001-0000-0000-000000000000')`,
  );
  const days = (await expired(75)).filter((day) => day <= dayAgo(80));
  expect(days).toEqual([dayAgo(81), dayAgo(80)]);
  for (const day of days) expect((await dropDay(at.prisma, day)).became).toBe('dropped');
  expect((await expired(75)).filter((day) => day <= dayAgo(80))).toEqual([]);
});

test.each([
  { clock: "database's", databaseDays: 31, ownDays: 0 },
  { clock: 'own', databaseDays: 0, ownDays: 31 },
  { clock: "database's and the own, the other way,", databaseDays: 31, ownDays: -31 },
])('a $clock clock that is a month ahead drops nothing that is not old', async ({ databaseDays, ownDays }) => {
  const now = inDays(ownDays);
  await anOldEvent(dayAgo(20));
  await anOldEvent(dayAgo(90));
  const days = await withDatabaseClock(databaseDays, (prisma) => expiredDays(prisma, { retentionDays: 30, now }));
  expect(days).not.toContain(dayAgo(20));
  expect(days.includes(dayAgo(90))).toBe(true);
});

test('both clocks together may let a month pass', async () => {
  await anOldEvent(dayAgo(20));
  const now = inDays(31);
  expect(await withDatabaseClock(31, (prisma) => expiredDays(prisma, { retentionDays: 30, now }))).toContain(
    dayAgo(20),
  );
});

/** In a session whose `now()` is so many days ahead. */
async function withDatabaseClock<T>(days: number, ask: (prisma: PrismaClient) => Promise<T>): Promise<T> {
  await run('CREATE SCHEMA IF NOT EXISTS ahead');
  await run(
    `CREATE OR REPLACE FUNCTION ahead.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT pg_catalog.now() + interval '${days} days' $$`,
  );
  const session = connectDatabase({ url: at.url, applicationName: 'ahead', poolSize: 1, onConnectionLost: () => {} });
  await session.prisma.$executeRaw`SET search_path = ahead, pg_catalog, public`;
  return ask(session.prisma).finally(session.close);
}
