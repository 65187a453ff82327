/** For servers: nobody's PG*, LC_* or TZ reaches them, and their messages are in English. */
export function bareEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
}
