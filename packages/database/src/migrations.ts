import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { takeBackUnfinished } from './begun-migrations.js';
import { migrationFailure } from './migration-failure.js';
import { findSchemaProblem } from './schema-choice.js';
import { openSchemaEngine } from './schema-engine.js';
import { DatabaseUrlProblem, sessionOf } from './session.js';

/** `takenBack` are those that an earlier run had begun and not finished; they are applied again. */
export type Migrated = { applied: string[]; takenBack: string[] };

/**
 * Applies the migrations in prisma/migrations that the database does not have yet. Leaves the rows in `_prisma_migrations`
 * that `prisma migrate deploy` would leave, so either can be used on one database. Safe to call from several processes at
 * once: an advisory lock lets one work while the others wait. Rejects with one line that says what Postgres said.
 */
export async function applyMigrations(databaseUrl: string): Promise<Migrated> {
  return holdingMigrationLock(databaseUrl, async (client) => {
    const migrationsList = await readMigrations();
    const names = migrationsList.migrationDirectories.map(({ path }) => path);
    const takenBack = await takeBackUnfinished(client, names);
    const { engine, failure, close } = await openSchemaEngine(databaseUrl);
    try {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: noFilter });
      return { applied: appliedMigrationNames, takenBack };
    } catch (error) {
      throw migrationFailure(error, { failure: failure(), migrationsList, takenBack });
    } finally {
      await close();
    }
  });
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
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work(client);
  } finally {
    await client.end();
  }
}
