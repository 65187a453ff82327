import { readPostgresUrl } from '@driftwire/postgres-url';

/** What `pg` is given to open a session of ours, and the schema that our tables are in. */
export type Session = { connectionString: string; options: string; schema: string };

/** The URL cannot be used, as one line: `DATABASE_URL …`. No restart mends it. */
export class DatabaseUrlProblem extends Error {
  override name = 'DatabaseUrlProblem';
}

const DEFAULT_SCHEMA = 'public';

/**
 * Whatever the server, the database, the role or the URL says: the adapter reads times as if they were UTC and in ISO
 * format, and statements rely on this isolation. What stands in a session's `options` wins over ALTER DATABASE and ALTER
 * ROLE, and what stands last in them over what stands before.
 */
const SETTINGS = {
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read\\ committed',
};

/** Every connection to Postgres is opened with this; `settings` are added. Throws `DatabaseUrlProblem`. */
export function sessionOf(databaseUrl: string, settings: Record<string, string> = {}): Session {
  const reading = readPostgresUrl(databaseUrl);
  if (!reading.ok) throw new DatabaseUrlProblem(`DATABASE_URL ${reading.problem}`);
  const { connectionString, options, schema: named } = reading.url;
  const schema = named ?? DEFAULT_SCHEMA;
  const ours = Object.entries({ ...SETTINGS, search_path: schema, ...settings });
  return {
    connectionString,
    options: [options, ...ours.map(([name, value]) => `-c ${name}=${value}`)].join(' ').trim(),
    schema,
  };
}
