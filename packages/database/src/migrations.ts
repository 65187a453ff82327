import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { takeBackUnfinished } from './begun-migrations.js';
import { buildDaysIndexes } from './days-indexes.js';
import { migrationFailure } from './migration-failure.js';
import { findSchemaProblem } from './schema-choice.js';
import { openSchemaEngine } from './schema-engine.js';
import { DatabaseUrlProblem, sessionOf } from './session.js';

/** `takenBack` are those that an earlier run had begun and not finished; they are applied again. */
export type Migrated = { applied: string[]; takenBack: string[] };

/** Told of each index that is built on a large day that was there before it, which may take long. */
export type MigrationProgress = { onBuilding?: (index: string) => void };

/**
 * Applies the migrations in prisma/migrations that the database does not have yet. Leaves the rows in `_prisma_migrations`
 * that `prisma migrate deploy` would leave, so either can be used on one database. Safe to call from several processes at
 * once: an advisory lock lets one work while the others wait. Rejects with one line that says what Postgres said.
 */
export async function applyMigrations(
  databaseUrl: string,
  { onBuilding = () => {} }: MigrationProgress = {},
): Promise<Migrated> {
  return holdingMigrationLock(databaseUrl, async (client) => {
    const migrationsList = await readMigrations();
    const names = migrationsList.migrationDirectories.map(({ path }) => path);
    const takenBack = await takeBackUnfinished(client, names);
    const applied = await applyMissing(databaseUrl, migrationsList, takenBack);
    await buildDaysIndexes(client, onBuilding);
    return { applied, takenBack };
  });
}

async function applyMissing(
  databaseUrl: string,
  migrationsList: MigrationList,
  takenBack: string[],
): Promise<string[]> {
  const { engine, failure, close } = await openSchemaEngine(databaseUrl);
  try {
    return (await engine.applyMigrations({ migrationsList, filters: noFilter })).appliedMigrationNames;
  } catch (error) {
    throw migrationFailure(error, { failure: failure(), migrationsList, takenBack });
  } finally {
    await close();
  }
}

export const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

export const noFilter: SchemaFilter = { externalTables: [], externalEnums: [] };

/** The migration directories in the order they apply, as the engine wants them. */
export async function readMigrations(): Promise<MigrationList> {
  const entries = await readdir(migrationsDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: migrationsDir,
    shadowDbInitScript: '',
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(join(migrationsDir, 'migration_lock.toml'), 'utf8'),
    },
    migrationDirectories: await Promise.all(names.sort().map(readMigration)),
  };
}

async function readMigration(name: string) {
  const value = await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8');
  return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
}

/** Not the number `prisma migrate deploy` uses: the engine below may take that one on a connection of its own. */
const MIGRATION_LOCK = 7_270_736_901;
const LOCK_WAIT_MS = 120_000;
const LOCK_ASKED_MS = 100;

async function holdingMigrationLock<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { schema: _, ...session } = sessionOf(databaseUrl);
  const client = new pg.Client({
    ...session,
    connectionTimeoutMillis: 10_000,
    lock_timeout: LOCK_WAIT_MS,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const problem = await findSchemaProblem(databaseUrl, async (sql) => (await client.query(sql)).rows);
    if (problem !== null) throw new DatabaseUrlProblem(problem);
    await takeMigrationLock(client);
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Asked for again and again: a statement that waits for it would be one that CREATE INDEX CONCURRENTLY, of its holder, waits for. */
async function takeMigrationLock(client: pg.Client): Promise<void> {
  const givenUpAt = performance.now() + LOCK_WAIT_MS;
  while (!(await triedLock(client))) {
    if (performance.now() > givenUpAt)
      throw new Error('another process has been migrating this database for two minutes');
    await delay(LOCK_ASKED_MS);
  }
}

async function triedLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [MIGRATION_LOCK]);
  return rows[0]?.taken === true;
}
