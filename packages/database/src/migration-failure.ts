import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import type { EngineFailure } from './schema-engine.js';

type Circumstances = { failure: EngineFailure | null; migrationsList: MigrationList; takenBack: readonly string[] };

/** One line: which migration, what Postgres said, and what there is to do. Without a word of Postgres, the engine's own. */
export function migrationFailure(engineError: unknown, { failure, migrationsList, takenBack }: Circumstances): Error {
  if (failure === null) return new Error(describePostgresError(engineError), { cause: engineError });
  const { error, sql } = failure;
  const name = nameOf(migrationsList, sql);
  const said = describePostgresError(error);
  if (name === undefined) return new Error(said, { cause: error });
  const remedy =
    takenBack.includes(name) && isAlreadyThere(error)
      ? `It had been begun before: if all of it is there, say so with npx prisma migrate resolve --applied ${name}`
      : 'Nothing of it was kept: mend the cause and run npm run migrate again';
  return new Error(`${name}: ${said}. ${remedy}.`, { cause: error });
}

/** On one line, with the SQLSTATE that tells what kind of error it is. */
export function describePostgresError(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const detail = error instanceof pg.DatabaseError ? error.detail : undefined;
  // A host of several addresses that all refuse: the message is empty, and the code says it.
  const said = [error.message || code, detail].filter((part) => part !== undefined && part !== '').join(': ');
  const line = said.replace(/\s*\n\s*/g, ' ');
  return code === undefined || line.includes(code) ? line : `${line} (${code})`;
}

/** The script of a migration is sent whole, with something behind it. */
function nameOf({ migrationDirectories }: MigrationList, sql: string): string | undefined {
  return migrationDirectories.find(
    ({ migrationFile: { content } }) => content.tag === 'ok' && sql.startsWith(content.value),
  )?.path;
}

/** A table, another object, a column, a schema, a function. */
const ALREADY_THERE = new Set(['42P07', '42710', '42701', '42P06', '42723']);

function isAlreadyThere(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ALREADY_THERE.has(error.code ?? '');
}
