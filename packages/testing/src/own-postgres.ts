import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, type LocalServer, startPostgres } from '@driftwire/local-servers';
import pg from 'pg';
import { migrate } from './migrate.js';

export type OwnPostgres = {
  url: string;
  start: () => Promise<void>;
  /** Kill -9, with every session. What was committed is there at the next start. */
  kill: () => void;
  /** One statement, in a session of its own. */
  run: (sql: string) => Promise<pg.QueryResult>;
  /** What the server has logged since its last start, errors of statements included. */
  log: () => Promise<string>;
  close: () => Promise<void>;
};

/** A migrated Postgres of one test's own, on a port that stays the same, for taking away. Started. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const [dir, port] = await Promise.all([mkdtemp(join(tmpdir(), 'driftwire-postgres-')), findFreePort()]);
  const dataDir = join(dir, 'data');
  const launch = () => startPostgres({ dataDir, port, settings: { log_min_messages: 'error' } });
  let server: LocalServer = await launch();
  const { url } = server;
  await migrate(url);
  return {
    url,
    start: async () => {
      server = await launch();
    },
    kill: () => process.kill(-server.pid, 'SIGKILL'),
    run: async (sql) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client.query(sql).finally(() => client.end());
    },
    log: () => readFile(`${dataDir}.log`, 'utf8'),
    close: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
