import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';

export type CommandLine =
  | { kind: 'start'; workers: number }
  | { kind: 'help' }
  /** One line: what is wrong with the arguments. */
  | { kind: 'misuse'; problem: string };

export const USAGE = `npm start [-- --workers N]

Starts Postgres, Redis, the API and N workers (default 1) in this terminal; Ctrl-C stops them.
Environment: PORT (3000), HOST (127.0.0.1), DATA_DIR (.data); DATABASE_URL and REDIS_URL to use servers of your own.
All variables: docs/configuration.md`;

const MOST_WORKERS = 64;

export function parseCommandLine(args: string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args,
      options: { workers: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return values.help ? { kind: 'help' } : readWorkers(values.workers ?? '1');
  } catch (error) {
    return misuse(isNativeError(error) ? error.message : String(error));
  }
}

function readWorkers(text: string): CommandLine {
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers >= 1 && workers <= MOST_WORKERS) return { kind: 'start', workers };
  return misuse(`--workers must be a whole number from 1 to ${MOST_WORKERS}, not ${JSON.stringify(text)}`);
}

function misuse(problem: string): CommandLine {
  const [sentence = problem] = problem.split(/\.\s/);
  return { kind: 'misuse', problem: `${sentence} (see npm start -- --help)` };
}
