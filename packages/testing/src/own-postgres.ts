import { mkdtemp, rm } from 'node:fs/promises';
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
  close: () => Promise<void>;
};

/** A migrated Postgres of one test's own, on a port that stays the same, for taking away. Started. */
export async function ownPostgres(settings: Record<string, string> = {}): Promise<OwnPostgres> {
  const [dir, port] = await Promise.all([mkdtemp(join(tmpdir(), 'driftwire-postgres-')), findFreePort()]);
  const launch = () => startPostgres({ dataDir: join(dir, 'data'), port, settings });
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
    close: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
