import type { Exit } from '../stack/process-keeper.js';
import type { Violation } from './oracle/evidence.js';

/** What the log of a process that ended says. */
export type LogFacts = { fatal: string | undefined; isWedged: boolean };

/** Null: as it has to be. `wedged`: a worker's own watchdog ended it. */
export type ExitVerdict = { kind: 'wedged' } | { kind: 'violation'; violation: Violation } | null;

export function judgeExit(exit: Exit, { fatal, isWedged }: LogFacts): ExitVerdict {
  if (isWedged && exit.code !== 0) return { kind: 'wedged' };
  if (fatal !== undefined) return crash(exit, `wrote a fatal line: ${fatal}`);
  if (exit.cause === 'none') return crash(exit, 'ended though nobody had touched it');
  if (exit.cause === 'stop' && exit.code !== 0) return crash(exit, 'was asked to stop and did not exit 0');
  return null;
}

export function readLogFacts(log: string): LogFacts {
  const lines = log.split('\n');
  return {
    fatal: lines.find((line) => line.includes('"level":"fatal"'))?.slice(0, 300),
    isWedged: lines.some((line) => line.includes('worker.wedged')),
  };
}

function crash({ name, code, signal, logFile }: Exit, what: string): ExitVerdict {
  const sentence = `${name} ${what} (code ${code}, signal ${signal}; ${logFile})`;
  return { kind: 'violation', violation: { rule: 'no unexpected crash', ids: [name], sentence } };
}
