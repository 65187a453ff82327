import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.js';

export type Database = {
  prisma: PrismaClient;
  /** True when Postgres runs a statement within two seconds. */
  answers: () => Promise<boolean>;
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
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.poolSize,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 8_000,
    lock_timeout: 4_000,
    idle_in_transaction_session_timeout: 10_000,
    query_timeout: 10_000,
    keepAlive: true,
    options: Object.entries({ ...PLANNING, ...(options.plans === 'generic' ? GENERIC_PLANNING : {}) })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  pool.on('error', options.onConnectionLost);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { statementNameGenerator: statementName }) });
  return {
    prisma,
    answers: () => answers(prisma),
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
const PLANNING = { jit: 'off', enable_seqscan: 'off' };
/** One plan for good, made when tables were small, so it must be the one for large ones: look rows up one by one. */
const GENERIC_PLANNING = { plan_cache_mode: 'force_generic_plan', enable_hashjoin: 'off', enable_mergejoin: 'off' };

/** A statement that begins with this comment is parsed once per connection and then run by its name. */
const PREPARED = /^\s*\/\* prepared: (\w+) \*\//;

function statementName({ sql }: { sql: string }): string {
  return PREPARED.exec(sql)?.[1] ?? UNNAMED;
}

async function answers(prisma: PrismaClient): Promise<boolean> {
  const timeout = new AbortController();
  const tooLate = delay(ANSWER_MS, false, { signal: timeout.signal }).catch(() => false);
  const answer = prisma.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([answer, tooLate]).finally(() => timeout.abort());
}
