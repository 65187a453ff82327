/** Redis answers, and says no to something that only a person can change: the message says what, and Redis's own words. */
export class RedisRefusal extends Error {
  override name = 'RedisRefusal';
}

/** Said by Redis itself, and not by a connection that is lost. */
export function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

/** The error itself, or what it means for whoever has set REDIS_URL. */
export function explained(error: Error): Error {
  if (!isReply(error)) return error;
  const meaning = meaningOf(error);
  return meaning === null ? error : new RedisRefusal(`${meaning}: ${error.message}`, { cause: error });
}

/** The second is how a script is told. */
const NO_RIGHT = /NOPERM|The user executing the script can't/;

function meaningOf(error: Error): string | null {
  if (isSelectRefused(error)) return 'the database that REDIS_URL names cannot be used';
  if (NO_RIGHT.test(error.message)) return 'the user in REDIS_URL lacks a right (all are in docs/configuration.md)';
  if (/^(WRONGPASS|NOAUTH|ERR invalid password)/.test(error.message))
    return 'the user or password in REDIS_URL is refused';
  return null;
}

/** Without its database a connection would go on in database 0, which may be somebody else's. */
export function isSelectRefused(error: Error & { command?: { name: string } }): boolean {
  return isReply(error) && error.command?.name === 'select';
}
