import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { type FreshDatabase, freshDatabase } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url));
const MIGRATE = fileURLToPath(new URL('../dist/migrate-cli.js', import.meta.url));
const DIFFERENCE = fileURLToPath(new URL('./schema-difference.mjs', import.meta.url));

let empty: FreshDatabase;
let migrated: FreshDatabase;
beforeAll(async () => {
  [empty, migrated] = await Promise.all([freshDatabase({ template: null }), freshDatabase()]);
});
afterAll(async () => {
  await Promise.all([empty.drop(), migrated.drop()]);
});

/** The release step, as a process of its own. */
const migrate = async (url: string) =>
  (await promisify(execFile)(process.execPath, [MIGRATE], { env: { DATABASE_URL: url } })).stdout;

async function rows<T>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const result = await client.query(sql);
  await client.end();
  return result.rows;
}

/** What the engine says is missing from a database, as SQL; empty when it is just as schema.prisma describes it. */
async function differenceOf(url: string): Promise<string> {
  const run = promisify(execFile)(process.execPath, [DIFFERENCE, url]);
  const { code, stdout } = await run.then(
    (done) => ({ ...done, code: 0 }),
    (failure: { code: number; stdout: string }) => failure,
  );
  if (code !== 0 && code !== 2) throw new Error(stdout);
  return code === 0 ? '' : stdout;
}

test('a migrated database and schema.prisma agree, but for the foreign keys that the hot tables do without', async () => {
  const difference = await differenceOf(migrated.url);
  const statements = difference.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
  expect(statements.map((line) => /^ALTER TABLE "(\w+)" ADD CONSTRAINT "(\w+)" FOREIGN KEY/.exec(line)?.[2])).toEqual([
    'drift_events_customer_id_fkey',
    'idempotency_keys_customer_id_event_id_fkey',
    'deliveries_customer_id_event_id_fkey',
    'deliveries_customer_id_endpoint_id_fkey',
    'attempts_customer_id_delivery_id_fkey',
  ]);
});

test('a database that lacks an index does not agree', async () => {
  const other = await freshDatabase();
  await rows(other.url, 'DROP INDEX deliveries_event_id_idx');
  expect(await differenceOf(other.url)).toContain('CREATE INDEX "deliveries_event_id_idx"');
  await other.drop();
});

test('several processes may migrate an empty database at once: one applies, and _prisma_migrations is as Prisma leaves it', async () => {
  const said = await Promise.all([migrate(empty.url), migrate(empty.url), migrate(empty.url)]);
  expect(said.filter((line) => line.startsWith('Applied '))).toHaveLength(1);
  expect(said.filter((line) => line === 'The database is up to date.\n')).toHaveLength(2);
  expect(await migrationRows(empty.url)).toEqual(await rowsThatPrismaWouldLeave());
});

test('applying again changes nothing', async () => {
  const before = await migrationRows(migrated.url);
  expect(await migrate(migrated.url)).toBe('The database is up to date.\n');
  expect(await migrationRows(migrated.url)).toEqual(before);
  expect(before).toEqual(await rowsThatPrismaWouldLeave());
});

function migrationRows(url: string) {
  return rows(
    url,
    `SELECT migration_name, checksum, finished_at >= started_at AS finished, rolled_back_at, logs, applied_steps_count
     FROM _prisma_migrations ORDER BY migration_name`,
  );
}

async function rowsThatPrismaWouldLeave() {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => ({
      migration_name: name,
      checksum: createHash('sha256')
        .update(await readFile(`${MIGRATIONS}${name}/migration.sql`))
        .digest('hex'),
      finished: true,
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    })),
  );
}

// What the engine cannot see, by name.

test('every CHECK is there', async () => {
  const checks = await rows<{ conname: string }>(
    migrated.url,
    "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND coninhcount = 0 ORDER BY 1",
  );
  expect(checks.map(({ conname }) => conname)).toEqual([
    'api_keys_platform_is_admin',
    'audit_log_actor_key',
    'deliveries_finished_has_completion',
    'deliveries_lease_only_unfinished',
    'deliveries_reason_iff_unsuccessful',
    'deliveries_unfinished_is_due_or_held',
    'endpoint_flow_open_has_next_probe',
    'endpoint_slots_taken_has_end',
    'endpoints_deleted_has_no_secret',
    'endpoints_inactive_has_reason',
    'endpoints_limits_in_range',
    'endpoints_previous_secret_expires',
    'queue_epoch_is_only',
  ]);
});

test('every partial index is there', async () => {
  const indexes = await rows<{ indexname: string; indexdef: string }>(
    migrated.url,
    `SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON oid = indexname::regclass
     WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %' AND NOT relispartition ORDER BY 1`,
  );
  expect(indexes.map(({ indexname, indexdef }) => [indexname, indexdef.replace(/^.* USING btree /, '')])).toEqual([
    [
      'deliveries_customer_id_status_id_idx',
      "(customer_id, status, id) WHERE (status = ANY (ARRAY['retrying'::delivery_status, 'failed'::delivery_status, 'cancelled'::delivery_status]))",
    ],
    ['deliveries_due_idx', '(next_attempt_at) WHERE (next_attempt_at IS NOT NULL)'],
    ['deliveries_held_idx', '(endpoint_id, id) WHERE (hold_reason IS NOT NULL)'],
    ['deliveries_recover_at_idx', '(recover_at) WHERE (recover_at IS NOT NULL)'],
    ['endpoints_customer_id_name_live_key', '(customer_id, name) WHERE (deleted_at IS NULL)'],
  ]);
});

test('days that were there before an index get it when the migrations are through, one that was left half built as well', async () => {
  const { url, drop } = await freshDatabase();
  await rows(url, 'DROP INDEX deliveries_held_idx');
  await rows(
    url,
    'CREATE INDEX deliveries_held_idx ON ONLY deliveries (endpoint_id, id) WHERE hold_reason IS NOT NULL',
  );
  const [day] = await rows<{ name: string }>(
    url,
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'deliveries'::regclass LIMIT 1",
  );
  await rows(url, `CREATE INDEX ${day?.name}_held_idx ON ${day?.name} (endpoint_id)`);
  await Promise.all([migrate(url), migrate(url), migrate(url)]);
  const [index] = await rows<{ valid: boolean; days: number; right: number }>(
    url,
    `SELECT indisvalid AS valid, (SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'deliveries'::regclass) AS days,
       (SELECT count(*)::int FROM pg_inherits WHERE inhparent = indexrelid
          AND pg_get_indexdef(inhrelid) LIKE '%(endpoint_id, id) WHERE (hold_reason IS NOT NULL)') AS right
     FROM pg_index WHERE indexrelid = 'deliveries_held_idx'::regclass`,
  );
  expect(index).toEqual({ valid: true, days: index?.days, right: index?.days });
  await drop();
});

test('uuidv7_at makes version 7 of the right variant, carries the instant, and is never the same', async () => {
  const made = await rows<{ id: string }>(
    migrated.url,
    "SELECT uuidv7_at('2026-01-31T01:02:03.456Z') AS id FROM generate_series(1, 1000)",
  );
  const millisecond = Date.parse('2026-01-31T01:02:03.456Z').toString(16).padStart(12, '0');
  for (const { id } of made) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id.replaceAll('-', '').slice(0, 12)).toBe(millisecond);
  }
  expect(new Set(made.map(({ id }) => id)).size).toBe(1000);
});

test('the foreign keys are those of tables of which few rows are written, and composite between things of a customer', async () => {
  const keys = await rows<{ name: string }>(
    migrated.url,
    "SELECT conname AS name FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1",
  );
  expect(keys.map(({ name }) => name)).toEqual([
    'api_keys_customer_id_fkey',
    'audit_log_customer_id_fkey',
    'endpoint_flow_customer_id_endpoint_id_fkey',
    'endpoint_slots_customer_id_endpoint_id_fkey',
    'endpoints_customer_id_fkey',
    'parked_deliveries_customer_id_endpoint_id_fkey',
  ]);
});
