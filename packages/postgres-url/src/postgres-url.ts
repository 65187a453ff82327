/** What a DATABASE_URL says: where to connect, and which of a session's settings are the operator's. */
export type PostgresUrl = {
  /** For `pg`, which lets whatever stands in a URL win over what it is told: only what is the URL's to say. */
  connectionString: string;
  /** `?schema=`, as Prisma has it; null when the URL names none. */
  schema: string | null;
  /** The URL's own `options`, for the server's command line. */
  options: string;
};

export type PostgresUrlReading = { ok: true; url: PostgresUrl } | { ok: false; problem: string };

const EXAMPLE = 'postgresql://user:password@host:5432/driftwire';
const PROTOCOLS = ['postgres:', 'postgresql:'];
/** Letters that need no quotes anywhere: the name goes into a server's command line and into SQL. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** Driftwire sets these itself, on every connection. */
const OURS = [
  'application_name',
  'binary',
  'client_encoding',
  'encoding',
  'fallback_application_name',
  'idle_in_transaction_session_timeout',
  'lock_timeout',
  'options',
  'query_timeout',
  'replication',
  'schema',
  'statement_timeout',
];

/** Reads a DATABASE_URL; `problem` goes on after the variable's name: "must be …". It repeats no part of the URL. */
export function readPostgresUrl(text: string): PostgresUrlReading {
  if (!URL.canParse(text)) return wrong(`must be a URL like ${EXAMPLE}`);
  const url = new URL(text);
  if (!PROTOCOLS.includes(url.protocol)) return wrong(`must be a URL like ${EXAMPLE}`);
  const schema = url.searchParams.get('schema');
  if (schema !== null && !SCHEMA.test(schema)) {
    return wrong('names a schema that is not made of a-z, 0-9 and _ (at most 63 characters)');
  }
  const options = url.searchParams.get('options') ?? '';
  if (/search_path/i.test(options)) {
    return wrong('sets search_path in its options: name the schema as ?schema=driftwire instead');
  }
  for (const name of OURS) url.searchParams.delete(name);
  return { ok: true, url: { connectionString: url.href, schema, options } };
}

function wrong(problem: string): PostgresUrlReading {
  return { ok: false, problem };
}
