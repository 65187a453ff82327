import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { directQuery, type RawQuery } from './direct-query.js';
import { PrismaClient } from './generated/client.js';
import { findSchemaProblem } from './schema-choice.js';
import { sessionOf } from './session.js';

export type Database = {
  prisma: PrismaClient;
  /** For the statements that a delivery waits for; over the same connections. */
  direct: RawQuery;
  /** True when Postgres takes writes: it answers within two seconds, and is not read-only, as after a failover. */
  answers: () => Promise<boolean>;
  /** See `findSchemaProblem`. Rejects when Postgres does not answer. */
  schemaProblem: () => Promise<string | null>;
  close: () => Promise<void>;
};

const ANSWER_MS = 2_000;

export type ConnectOptions = {
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  poolSize: number;
  /**
   * How named statements (`PREPARED`) are planned. `generic`: once per connection, whatever their arguments, which is a third
   * of what a small batch costs; for processes that run nothing whose best plan depends on its arguments.
   */
  plans?: 'auto' | 'generic';
  /** A lost idle connection; the pool replaces it by itself. */
  onConnectionLost: (error: Error) => void;
};

/**
 * The one place that opens connections to Postgres. It does not wait for the server: the first query does. Every wait
 * is bounded, because the defaults of `pg` are to wait for ever: for a connection, a statement, a lock, an idle
 * transaction, and (client side) for a server that is frozen or gone.
 */
export function connectDatabase(options: ConnectOptions): Database {
  const { schema, ...session } = sessionOf(options.url, {
    ...PLANNING,
    ...(options.plans === 'generic' ? GENERIC_PLANNING : {}),
  });
  const pool = new pg.Pool({
    ...session,
    application_name: options.applicationName,
    max: options.poolSize,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 8_000,
    lock_timeout: 4_000,
    idle_in_transaction_session_timeout: 10_000,
    query_timeout: 10_000,
    keepAlive: true,
  });
  pool.on('error', options.onConnectionLost);
  pool.on('release', (error) => {
    if (isReadOnly(error)) dropIdle(pool);
  });
  const adapter = new PrismaPg(pool, { schema, statementNameGenerator: statementName });
  const prisma = new PrismaClient({
    adapter,
    // Any other notes where each statement was called from, which takes longer than all else that is done for a small one.
    errorFormat: 'minimal',
  });
  return {
    prisma,
    direct: directQuery(adapter),
    answers: () => answers(pool),
    schemaProblem: () => findSchemaProblem(options.url, (sql) => rowsIfAllowed(pool, sql)),
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

const UNNAMED = '';
/**
 * Every statement of ours finds its rows by an index, also in a partition that is an hour old and has no statistics yet, where
 * Postgres would rather read the whole table. Compiling a plan takes longer than any of them runs.
 */
const PLANNING = { jit: 'off', enable_seqscan: 'off', enable_indexscan: 'on', enable_nestloop: 'on' };
/** One plan for good, made when tables were small, so it must be the one for large ones: look rows up one by one. */
const GENERIC_PLANNING = { plan_cache_mode: 'force_generic_plan', enable_hashjoin: 'off', enable_mergejoin: 'off' };

/** A statement that begins with this comment is parsed once per connection and then run by its name. */
const PREPARED = /^\s*\/\* prepared: (\w+) \*\//;

function statementName({ sql }: { sql: string }): string {
  return PREPARED.exec(sql)?.[1] ?? UNNAMED;
}

async function answers(pool: pg.Pool): Promise<boolean> {
  const timeout = new AbortController();
  const tooLate = delay(ANSWER_MS, false, { signal: timeout.signal }).catch(() => false);
  const answer = takesWrites(pool).catch(() => false);
  return Promise.race([answer, tooLate]).finally(() => timeout.abort());
}

async function takesWrites(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
  const isReadOnly = rows[0]?.transaction_read_only !== 'off';
  if (isReadOnly) dropIdle(pool);
  return !isReadOnly;
}

/** Nothing where the server has no such table, or shows it to nobody: then nothing can be said, and asking again is of no use. */
async function rowsIfAllowed<Row extends pg.QueryResultRow>(pool: pg.Pool, sql: string): Promise<Row[]> {
  return pool.query<Row>(sql).then(
    ({ rows }) => rows,
    (error: unknown) => {
      if (error instanceof pg.DatabaseError && error.code?.startsWith(ACCESS_RULE_VIOLATION)) return [];
      throw error;
    },
  );
}

/** The class of SQLSTATE, with what is missing and what is forbidden. */
const ACCESS_RULE_VIOLATION = '42';
const READ_ONLY_SQL_TRANSACTION = '25006';

function isReadOnly(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === READ_ONLY_SQL_TRANSACTION;
}

/**
 * A server that was demoted keeps its connections, and they stay read-only. New ones may lead to the server that took over:
 * an idle connection is taken at once, and one that is released with an error is closed.
 */
function dropIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left -= 1) {
    void pool.connect().then(
      (client) => client.release(true),
      () => {},
    );
  }
}
