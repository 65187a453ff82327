import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, startRedis } from '@driftwire/local-servers';
import { withDatabase } from './database-url.js';
import { createDatabase } from './fresh-database.js';
import { keepForTeardown } from './global-teardown.js';
import { migrate } from './migrate.js';

/**
 * Before the integration tests: one real Postgres and one real Redis for all of them, on free ports, in a temporary
 * directory. A migrated template database is what every test file clones.
 */
export default async function startServers(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, exitOnSignal);
  const dir = await mkdtemp(join(tmpdir(), 'driftwire-test-'));
  const [postgres, redis] = await Promise.all([
    startPostgres({
      dataDir: join(dir, 'postgres'),
      settings: {
        ...SET_OTHERWISE,
        fsync: 'off',
        synchronous_commit: 'off',
        full_page_writes: 'off',
        max_connections: '400',
      },
    }),
    startRedis({ dir: join(dir, 'redis'), settings: { appendonly: 'no', databases: '4096' } }),
  ]);
  keepForTeardown({ dir, servers: [redis, postgres] });
  await createDatabase(postgres.url, { name: 'template' });
  await migrate(withDatabase(postgres.url, 'template'));
  process.env.DRIFTWIRE_TEST_POSTGRES = postgres.url;
  process.env.DRIFTWIRE_TEST_REDIS = redis.url;
}

/** What no session of ours may depend on: a server that its operator has set for himself. */
const SET_OTHERWISE = {
  timezone: 'Asia/Kolkata',
  datestyle: 'German',
  intervalstyle: 'sql_standard',
  bytea_output: 'escape',
  default_transaction_isolation: 'serializable',
};

/** A stopped jest runs no teardown, but what it started is killed when it exits. */
function exitOnSignal(): void {
  process.exit(130);
}
