import type { Request } from 'got';
import type { Phases } from './attempt-report.js';

type Connecting = Pick<Request, 'timings'> & { options: Pick<Request['options'], 'url'> };

/** What got measured. For a connection used again it repeats the phases of the first request on it: those are dropped. */
export function phasesOf(
  { timings, reusedSocket }: Pick<Request, 'timings' | 'reusedSocket'>,
  elapsedMs: number,
): Phases {
  if (timings === undefined) return {};
  const { dns, tcp, tls, firstByte, download } = timings.phases;
  const phases: Phases = {};
  const note = (phase: keyof Phases, ms: number | undefined) => {
    if (isPlausible(ms, elapsedMs)) phases[phase] = ms;
  };
  if (!reusedSocket) {
    note('dns', dns);
    note('tcp', tcp);
    note('tls', tls);
  }
  note('first_byte', firstByte);
  note('download', download);
  return phases;
}

/** Whether the request had a connection to go out on: for https, one whose handshake is complete. */
export function isConnected({ timings, options }: Connecting): boolean {
  const isHttps = String(options.url).startsWith('https:');
  return (isHttps ? timings?.secureConnect : timings?.connect) !== undefined;
}

/**
 * got subtracts wall-clock times, in whole milliseconds: a missing one gives NaN, a clock that was set back a negative number
 * and one that was set forward more than there was.
 */
function isPlausible(ms: number | undefined, elapsedMs: number): ms is number {
  return ms !== undefined && ms >= 0 && ms <= elapsedMs + 1;
}
