import { readPostgresUrl } from '@driftwire/postgres-url';

type Query = (sql: string) => Promise<{ setting: string }[]>;

/**
 * What is wrong with where our tables are: null when nothing is. A search_path that the operator has set for the database or the
 * role says where they should be, and would be ignored in silence, for every session of ours sets its own. A URL with a
 * `schema` has decided it.
 */
export async function findSchemaProblem(databaseUrl: string, query: Query): Promise<string | null> {
  const reading = readPostgresUrl(databaseUrl);
  if (!reading.ok || reading.url.schema !== null) return null;
  const paths = (await query(SEARCH_PATHS)).map(({ setting }) => setting.slice('search_path='.length));
  const other = paths.find((path) => firstSchema(path) !== 'public');
  if (other === undefined) return null;
  return `DATABASE_URL names no schema, and the database or the role sets search_path to ${other}: add ?schema=${firstSchema(other)}, or ?schema=public to keep Driftwire's tables there`;
}

const SEARCH_PATHS = `
  SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting
  WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    AND setting LIKE 'search\\_path=%'`;

/** `"$user"`, the role's own schema, is hardly ever there. */
function firstSchema(path: string): string {
  const names = path.split(',').map((name) => name.trim().replace(/^"|"$/g, ''));
  return names.find((name) => name !== '$user' && name !== '') ?? 'public';
}
