import { pino } from 'pino';
import { loggedError } from './logged-error.js';

export type Log = pino.Logger;

/** JSON lines on stdout. One wide line per unit of work; never payloads, secrets, signatures or keys. */
export function createLog(options: { service: string; level: string }): Log {
  return pino({
    level: options.level,
    base: { service: options.service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: loggedError },
  });
}
