import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { withDatabase } from './database-url.js';
import { testServer } from './test-server.js';

export type FreshDatabase = {
  url: string;
  /** One statement, in a session of its own that is set as the server has it. */
  run: (sql: string) => Promise<pg.QueryResult>;
  drop: () => Promise<void>;
};

/** A migrated database of its own, cloned from the template in milliseconds. `template: null` gives an empty one. */
export async function freshDatabase({
  template = 'template',
}: {
  template?: string | null;
} = {}): Promise<FreshDatabase> {
  const server = testServer('POSTGRES');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(server, { name, template });
  const url = withDatabase(server, name);
  return {
    url,
    run: (sql) => run(url, sql),
    drop: async () => {
      await run(server, `DROP DATABASE "${name}" WITH (FORCE)`);
    },
  };
}

export async function createDatabase(
  server: string,
  { name, template = null }: { name: string; template?: string | null },
): Promise<void> {
  await run(server, `CREATE DATABASE "${name}"${template === null ? '' : ` TEMPLATE "${template}"`}`);
}

async function run(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // One at a time: Postgres refuses to clone a template that another session is cloning.
    await client.query('SELECT pg_advisory_lock(1)');
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
