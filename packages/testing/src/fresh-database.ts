import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { withDatabase } from './database-url.js';
import { testServer } from './test-server.js';

export type FreshDatabase = { url: string; drop: () => Promise<void> };

/** A migrated database of its own, cloned from the template in milliseconds. `template: null` gives an empty one. */
export async function freshDatabase({
  template = 'template',
}: {
  template?: string | null;
} = {}): Promise<FreshDatabase> {
  const server = testServer('POSTGRES');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(server, { name, template });
  return {
    url: withDatabase(server, name),
    drop: () => run(server, `DROP DATABASE "${name}" WITH (FORCE)`),
  };
}

export async function createDatabase(
  server: string,
  { name, template = null }: { name: string; template?: string | null },
): Promise<void> {
  await run(server, `CREATE DATABASE "${name}"${template === null ? '' : ` TEMPLATE "${template}"`}`);
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // One at a time: Postgres refuses to clone a template that another session is cloning.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(sql);
  } finally {
    await client.end();
  }
}
