import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { type FreshDatabase, freshDatabase, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url));
const DROPPING = '20261127100000_no_hot_foreign_keys';
const CUSTOMER = '01890000-0000-7000-8000-000000000001';
const ENDPOINT = '01890000-0000-7000-8000-000000000002';

let database: FreshDatabase;
const clients: pg.Client[] = [];
beforeEach(async () => {
  database = await freshDatabase({ template: null });
  const earlier = (await readdir(MIGRATIONS, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && entry.name < DROPPING)
    .map(({ name }) => name);
  for (const name of earlier.sort()) await migrate(name);
  await database.run(`
    INSERT INTO customers (id, name) VALUES ('${CUSTOMER}', 'Acme');
    INSERT INTO endpoints (id, customer_id, name, url, event_types, secret_sealed, updated_at)
      VALUES ('${ENDPOINT}', '${CUSTOMER}', 'one', 'https://one.example', '{*}', 'k:x', now());
    SELECT make_partitions((now() AT TIME ZONE 'UTC')::date)`);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await database.drop();
});

async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  clients.push(client);
  await client.connect();
  return client;
}

async function migrate(name: string): Promise<void> {
  await (await session()).query(await readFile(`${MIGRATIONS}${name}/migration.sql`, 'utf8'));
}

/** As versions of that schema did: an event and its delivery in one statement. Answers how many deliveries it made. */
const accept = async () =>
  (
    await database.run(`
    WITH event AS (
      INSERT INTO drift_events (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
      SELECT uuidv7_at(now()), '${CUSTOMER}', 'drift.created', 'MEAN', 0.5, gen_random_uuid(), now()::text, '{}', now()
      RETURNING *
    )
    INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
    SELECT uuidv7_at(created_at), customer_id, id, '${ENDPOINT}', event_type, 3, now(), now(), created_at FROM event`)
  ).rowCount;
const foreignKeys = async () =>
  (
    await database.run(
      `SELECT DISTINCT regexp_replace(conrelid::regclass::text, '_\\d{8}$', '_DAY') AS of_table FROM pg_constraint WHERE contype = 'f' ORDER BY 1`,
    )
  ).rows.map(({ of_table }) => of_table);
const COLD = ['api_keys', 'audit_log', 'endpoints', 'parked_deliveries'];

test('every day loses its foreign keys, one that somebody has detached too, and keeps its rows', async () => {
  await accept();
  await database.run(`
    DO $$ BEGIN EXECUTE 'ALTER TABLE deliveries DETACH PARTITION deliveries_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'); END $$`);
  expect(await foreignKeys()).toEqual([
    'api_keys',
    'attempts_DAY',
    'audit_log',
    'deliveries',
    'deliveries_DAY',
    'drift_events',
    'drift_events_DAY',
    'endpoints',
    'parked_deliveries',
  ]);
  await migrate(DROPPING);
  expect(await foreignKeys()).toEqual(COLD);
  await database.run(
    `SELECT make_partitions((now() AT TIME ZONE 'UTC')::date + ahead) FROM generate_series(0, 20) AS ahead`,
  );
  expect(await foreignKeys()).toEqual(COLD);
  expect((await database.run('SELECT count(*)::int AS count FROM deliveries')).rows).toEqual([{ count: 1 }]);
});

test('while somebody reads for long, the migration waits for him, and events are accepted meanwhile', async () => {
  const reader = await session();
  await reader.query('BEGIN');
  await reader.query('SELECT count(*) FROM deliveries');
  let isDone = false;
  const migrating = migrate(DROPPING).then(() => {
    isDone = true;
  });
  await until(isWaitingForReader);
  for (let tries = 1; tries <= 3; tries += 1) {
    expect(await accept()).toBe(1);
    await until(isWaitingForReader);
  }
  expect(isDone).toBe(false);
  await reader.query('COMMIT');
  await migrating;
  expect(await foreignKeys()).toEqual(COLD);
});

/** A lock that is taken in vain again and again, and never for long. */
async function isWaitingForReader(): Promise<boolean> {
  const { rows } = await database.run(
    `SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'deliveries'::regclass`,
  );
  return rows.length > 0;
}
