import { type ParseArgsConfig, parseArgs } from 'node:util';
import { connectDatabase, type PrismaClient } from '@driftwire/database';
import type { LiveScreen } from '@driftwire/terminal';

export const MISUSED = 2;

/** The options of a command that is `npm run <name>`; null, and said, when they are not as its usage has them. */
export function readOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  screen: LiveScreen,
  name: string,
  options: Options,
): ReturnType<typeof parseArgs<{ options: Options }>>['values'] | null {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    screen.complain(`${error instanceof Error ? error.message : error} (see npm run ${name} -- --help)`);
    return null;
  }
}

/** Null, and said, when it is not there. `does` is what the command does to that Postgres. */
export function readDatabaseUrl(screen: LiveScreen, does: string): string | null {
  const { DATABASE_URL: url = '' } = process.env;
  if (url !== '') return url;
  screen.complain(
    `DATABASE_URL is not set: name the Postgres to ${does}, e.g. postgres://user:password@host:5432/driftwire`,
  );
  return null;
}

/** Runs a command on the database it names, and answers its exit code; a failure is one line. */
export async function onDatabase(
  screen: LiveScreen,
  { name, url }: { name: string; url: string },
  run: (prisma: PrismaClient) => Promise<number>,
): Promise<number> {
  const applicationName = `driftwire-${name}`;
  const database = connectDatabase({ url, applicationName, poolSize: 1, onConnectionLost: () => {} });
  try {
    return await run(database.prisma);
  } catch (error) {
    screen.complain(`npm run ${name} failed: ${lastLine(error)}`);
    return 1;
  } finally {
    await database.close();
  }
}

/** Null, and said, when it is none of at least 1. */
export function readDays(screen: LiveScreen, text: string): number | null {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1) return days;
  screen.complain(`--days must be a whole number of at least 1, not '${text}'`);
  return null;
}

/** Prisma's messages begin with the call that failed and end with why. */
function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : `${error}`;
  return message.trim().split('\n').at(-1) ?? message;
}
