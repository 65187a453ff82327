import { Client } from 'pg';

/** By this name chaos leaves our own sessions alone. */
export const APPLICATION_NAME = 'driftwire-bench';

export type Session = {
  query: <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;
};

/** One session for one purpose: the server goes away and comes back all the time. */
export async function withSession<T>(
  databaseUrl: string,
  use: (session: Session) => Promise<T>,
  { queryTimeoutMs = 30_000 } = {},
): Promise<T> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 3_000,
    query_timeout: queryTimeoutMs,
  });
  // A session that the server ends while nothing runs in it says so here, and at its next query again.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use({
      query: async <Row extends object>(sql: string, values: unknown[] = []) =>
        (await client.query<Row>(sql, values)).rows,
    });
  } finally {
    await client.end();
  }
}
