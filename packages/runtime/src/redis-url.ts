import { z } from 'zod';

/**
 * Where Redis is. Everything that the client would misread in silence is refused: a database that is no number is none at
 * all to it, a query parameter one of its own settings, no host this machine. Passed on as the URL's own parser reads it, for
 * the client speaks TLS only where it is spelled `rediss://`.
 */
export const redisUrl = z
  .string({ error: 'is required, e.g. redis://host:6379' })
  .transform((text, context): string => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const problem = url === null || !PROTOCOLS.includes(url.protocol) ? NO_URL : problemOf(url);
    if (url !== null && problem === null) return url.href;
    context.addIssue(problem ?? NO_URL);
    return z.NEVER;
  });

const PROTOCOLS = ['redis:', 'rediss:'];
const NO_URL = 'must be a URL like redis://host:6379 or rediss://user:password@host:6379/1';
/** What a URL may say besides host, user and database, and what of it. */
const PARAMETERS: Record<string, RegExp> = { family: /^[046]$/, db: /^\d{1,5}$/ };

/** Never repeats the value: it may hold a password. */
function problemOf(url: URL): string | null {
  if (url.hostname === '') return 'must name a host, like redis://host:6379';
  if (url.port === '0') return 'must not name port 0';
  if (!/^\/?$|^\/\d{1,5}$/.test(url.pathname))
    return 'must have nothing or the number of a database after the host, like redis://host:6379/1';
  if (url.hash !== '') return 'must not have a #: in a password it is written %23';
  if (![url.username, url.password].every(isDecodable)) return 'must have every % in user and password written as %25';
  const unknown = [...url.searchParams].find(([name, value]) => !PARAMETERS[name]?.test(value));
  return unknown === undefined
    ? null
    : `must not have the parameter "${unknown[0]}" with this value: only family (0, 4 or 6) and db (a number) are`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
