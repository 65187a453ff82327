import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { type FreshDatabase, freshDatabase, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';

const MIGRATE = fileURLToPath(new URL('../dist/migrate-cli.js', import.meta.url));
const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url));
const PARTITIONS = '20261124200000_partitions';
const AUDIT_LOG = '20261125180000_audit_log';

let database: FreshDatabase;
let sql: pg.Client;
beforeEach(async () => {
  database = await freshDatabase({ template: null });
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
});
afterEach(async () => {
  await sql.end();
  await database.drop();
});

type Migrating = { process: ChildProcess; ended: Promise<{ code: number | null; said: string }> };

/** The release step, as a process of its own. */
function migrate(url = database.url): Migrating {
  const process = spawn(globalThis.process.execPath, [MIGRATE], { env: { DATABASE_URL: url } });
  let said = '';
  for (const stream of [process.stdout, process.stderr]) stream.on('data', (chunk) => (said += chunk));
  return { process, ended: once(process, 'close').then(([code]) => ({ code, said })) };
}

/** A migration that stands still in the middle: it waits for a lock that this holds until it is released. */
async function holdPartitions() {
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query("SELECT pg_advisory_lock(hashtext('driftwire.partitions'))");
  const waiting = () =>
    until(async () => {
      const { rows } = await sql.query<{ pid: number }>(
        `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND objid = (hashtext('driftwire.partitions')::bigint & 4294967295)::oid
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return rows[0]?.pid;
    });
  return { waiting, release: () => holder.end() };
}

const states = async () =>
  (
    await sql.query<{ state: string }>(
      `SELECT migration_name || CASE WHEN rolled_back_at IS NOT NULL THEN ' rolled back'
         WHEN finished_at IS NOT NULL THEN ' finished' ELSE ' begun' END AS state
       FROM _prisma_migrations WHERE migration_name = '${PARTITIONS}' ORDER BY started_at`,
    )
  ).rows.map(({ state }) => state.replace(`${PARTITIONS} `, ''));

test('the connection of a running migration is terminated: the cause in one line, and the next run goes on', async () => {
  const held = await holdPartitions();
  const first = migrate();
  await sql.query('SELECT pg_terminate_backend($1)', [await held.waiting()]);
  const { code, said } = await first.ended;
  expect([code, said]).toEqual([
    1,
    `Migrating failed: ${PARTITIONS}: terminating connection due to administrator command (57P01). ` +
      'Nothing of it was kept: mend the cause and run npm run migrate again.\n',
  ]);
  await held.release();
  const second = await migrate().ended;
  expect(second.code).toBe(0);
  expect(second.said).toContain(
    `Begun before and not finished, so begun again: ${PARTITIONS}.\nApplied ${PARTITIONS}, `,
  );
  expect(await states()).toEqual(['rolled back', 'finished']);
  expect((await migrate().ended).said).toBe('The database is up to date.\n');
});

test('a migrating process is killed and its statement goes on without it: it is on record as finished all the same', async () => {
  const held = await holdPartitions();
  const { process, ended } = migrate();
  await held.waiting();
  process.kill('SIGKILL');
  await ended;
  await held.release();
  await until(async () => (await states())[0] === 'finished');
  const { code, said } = await migrate().ended;
  expect([code, said]).toEqual([0, expect.not.stringContaining('Begun before')]);
  expect(await states()).toEqual(['finished']);
});

test('a next run that begins while the statement of a killed one still goes on: one of the two is kept', async () => {
  const held = await holdPartitions();
  const { process, ended } = migrate();
  await held.waiting();
  process.kill('SIGKILL');
  await ended;
  const second = migrate();
  await until(async () => (await states())[0] === 'rolled back');
  await held.release();
  expect(await second.ended).toMatchObject({ code: 0 });
  expect(await states()).toEqual(['rolled back', 'finished']);
});

test('a migration that cannot be applied says what Postgres said, and is applied once the cause is mended', async () => {
  await sql.query('CREATE TYPE audit_actor AS ENUM ()');
  const { code, said } = await migrate().ended;
  expect([code, said]).toEqual([
    1,
    `Migrating failed: ${AUDIT_LOG}: type "audit_actor" already exists (42710). Nothing of it was kept: mend the cause and run npm run migrate again.\n`,
  ]);
  await sql.query('DROP TYPE audit_actor');
  expect((await migrate().ended).said).toContain(`Applied ${AUDIT_LOG}`);
});

test('one that is there but was left as begun, by a tool that says so afterwards, is told from a broken one', async () => {
  await migrate().ended;
  await sql.query('UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1', [AUDIT_LOG]);
  const { code, said } = await migrate().ended;
  expect([code, said]).toEqual([
    1,
    expect.stringContaining(
      `It had been begun before: if all of it is there, say so with npx prisma migrate resolve --applied ${AUDIT_LOG}.`,
    ),
  ]);
});

test('a role needs no right but to use public and to create in it, and is told which it lacks', async () => {
  const role = `role_${database.url.split('/').at(-1)}`;
  await sql.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  await sql.query(`GRANT USAGE ON SCHEMA public TO ${role}`);
  const url = Object.assign(new URL(database.url), { username: role, password: 'secret' }).href;
  const refused = await migrate(url).ended;
  expect([refused.code, refused.said]).toEqual([1, 'Migrating failed: permission denied for schema public (42501)\n']);
  await sql.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
  expect(await migrate(url).ended).toMatchObject({ code: 0 });
  const asRole = new pg.Client({ connectionString: url });
  await asRole.connect();
  const { rows } = await asRole.query(
    'SELECT make_partitions(current_date + 30) AS made, drop_partitions(current_date + 30) AS became',
  );
  expect(rows).toEqual([{ made: true, became: 'dropped' }]);
  await asRole.end();
  await sql.query(`DROP OWNED BY ${role}`);
  await sql.query(`DROP ROLE ${role}`);
});

test('a database that was partitioned by the earlier form of that migration is up to date', async () => {
  await migrate().ended;
  await sql.query(`UPDATE _prisma_migrations SET checksum = repeat('0', 64) WHERE migration_name = $1`, [PARTITIONS]);
  expect((await migrate().ended).said).toBe('The database is up to date.\n');
});

test('partitioning keeps every row, and leaves nothing else behind', async () => {
  for (const name of ['20261123160000_first', '20261124130000_sweeper']) await run(name);
  await sql.query(ROWS_OF_BEFORE);
  await run(PARTITIONS);
  const { rows } = await sql.query(
    `SELECT (SELECT count(*)::int FROM drift_events) AS events, (SELECT count(*)::int FROM deliveries) AS deliveries,
       (SELECT count(*)::int FROM attempts) AS attempts,
       (SELECT count(*)::int FROM pg_class WHERE relname LIKE 'unpartitioned%') AS "left"`,
  );
  expect(rows).toEqual([{ events: 1, deliveries: 1, attempts: 1, left: 0 }]);
});

async function run(name: string): Promise<void> {
  await sql.query(await readFile(`${MIGRATIONS}${name}/migration.sql`, 'utf8'));
}

const ROWS_OF_BEFORE = `
  INSERT INTO customers (id, name) VALUES ('01890000-0000-7000-8000-000000000001', 'Acme');
  INSERT INTO endpoints (id, customer_id, name, url, secret_sealed, updated_at)
    VALUES ('01890000-0000-7000-8000-000000000002', '01890000-0000-7000-8000-000000000001', 'one', 'https://one.example', 'k:x', now());
  INSERT INTO drift_events (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
    SELECT id, '01890000-0000-7000-8000-000000000001', 'drift.created', 'X', 0.5, id, 'now', '{}', now() FROM uuidv7_at(now()) AS id;
  INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, status, failure_reason, max_attempts, created_at, completed_at)
    SELECT uuidv7_at(now()), customer_id, id, '01890000-0000-7000-8000-000000000002', event_type, 'failed', 'gone', 3, created_at, now()
    FROM drift_events;
  INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome)
    SELECT id, 1, customer_id, 1, now(), 'response' FROM deliveries;`;
