import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, type ColumnType, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { finishingItself } from './begun-migrations.js';
import { sessionOf } from './session.js';

/**
 * Prisma's own schema engine, in WebAssembly: what `prisma migrate` downloads as a binary, without the download.
 * The caller ends it through `close`. When the engine fails, `failure` is what Postgres said: the engine only knows that
 * there was something ("External error id#0").
 */
export async function openSchemaEngine(
  databaseUrl: string,
): Promise<{ engine: SchemaEngine; failure: () => EngineFailure | null; close: () => Promise<void> }> {
  await bootEngine();
  const { schema, ...session } = sessionOf(databaseUrl, UNBOUNDED);
  const pool = new pg.Pool({ ...session, max: 1, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => {});
  const failure = rememberFailure(pool);
  const engine = await bindings.SchemaEngine.new(
    { datamodels: [['schema.prisma', await readFile(schemaPath, 'utf8')]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(migrationAdapter(pool, schema)),
  );
  return {
    engine,
    failure,
    close: async () => {
      engine.free();
      await pool.end();
    },
  };
}

/** A migration takes as long as it takes, whatever the role's own limits are. */
const UNBOUNDED = { statement_timeout: '0', idle_in_transaction_session_timeout: '0' };

/** The first statement that failed: what fails after it is the engine's tidying up. */
export type EngineFailure = { sql: string; error: unknown };

function rememberFailure(pool: pg.Pool): () => EngineFailure | null {
  let first: EngineFailure | null = null;
  const query = pool.query.bind(pool);
  Object.assign(pool, {
    query: (config: string | pg.QueryConfig) =>
      query(config).catch((error: unknown) => {
        first ??= { sql: typeof config === 'string' ? config : config.text, error };
        throw error;
      }),
  });
  return () => first;
}

export const schemaPath = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));

/**
 * Prisma's adapter with two repairs. Its `executeScript`, which runs migrations and nothing else, splits at every semicolon and
 * runs each piece on its own: a whole script in one query is one transaction, and a function body may hold a semicolon. And
 * it refuses the type "char", which the engine reads from the catalogue of any database that has a table.
 */
function migrationAdapter(pool: pg.Pool, schema: string): PrismaPg {
  const factory = new PrismaPg(relabelChars(pool), { schema });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      return { ...result, columnTypes: result.columnTypes.map(charType) };
    };
    adapter.executeScript = async (script) => {
      await pool.query(finishingItself(script));
    };
    return adapter;
  };
  return factory;
}

const CHAR_OID = 18;
const CHAR_ARRAY_OID = 1002;

/** The adapter knows arrays of "char" but not "char": pass one off as the other, and `charType` turns it back. */
function relabelChars(pool: pg.Pool): pg.Pool {
  const query = pool.query.bind(pool);
  return Object.assign(pool, {
    query: async (config: pg.QueryConfig) => {
      const result = await query(config);
      for (const field of result.fields ?? []) {
        if (field.dataTypeID === CHAR_OID) field.dataTypeID = CHAR_ARRAY_OID;
      }
      return result;
    },
  });
}

function charType(type: ColumnType): ColumnType {
  return type === ColumnTypeEnum.CharacterArray ? ColumnTypeEnum.Character : type;
}

let booted: Promise<void> | undefined;

/** Once per process: the module keeps its memory in a global. */
function bootEngine(): Promise<void> {
  booted ??= instantiate();
  return booted;
}

async function instantiate(): Promise<void> {
  const script = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(script.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': { ...bindings } });
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message() {} } });
  bindings.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start !== 'function') throw new Error('@prisma/schema-engine-wasm has no __wbindgen_start');
  start();
}
