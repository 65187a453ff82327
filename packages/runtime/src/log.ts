import { pino } from 'pino';
import { loggedError } from './logged-error.js';

export type Log = pino.Logger;

const STDOUT = 1;

/** JSON lines on stdout. One wide line per unit of work; never payloads, secrets, signatures or keys. */
export function createLog(options: { service: string; level: string }): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { service: options.service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: loggedError },
  };
  // Lines that come while one is being written share the next write; what is left is written when the process exits.
  return pino(settings, pino.destination({ dest: STDOUT, sync: false }));
}
