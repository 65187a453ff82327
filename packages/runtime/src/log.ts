import { pino } from 'pino';
import { loggedError } from './logged-error.js';
import { sharingWrites } from './shared-writes.js';

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
  // Written by a thread, and what is left when the process exits, before its end. What this adds must be handed on before.
  const stdout = pino.destination({ dest: STDOUT, sync: false });
  return pino(
    settings,
    sharingWrites(stdout, (handOn) => process.prependListener('exit', handOn)),
  );
}
