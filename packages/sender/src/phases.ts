import type { Request } from 'got';
import type { Phases } from './attempt-report.js';

type Connecting = Pick<Request, 'timings'> & { options: Pick<Request['options'], 'url'> };

/** What got measured. For a connection used again it repeats the phases of the first request on it: those are dropped. */
export function phasesOf(
  { timings, reusedSocket }: Pick<Request, 'timings' | 'reusedSocket'>,
  elapsedMs: number,
): Phases {
  if (timings === undefined) return {};
  const measured = (phase: keyof Phases, ms: number | undefined) => measuredWithin(elapsedMs, phase, ms);
  const { dns, tcp, tls, firstByte, download } = timings.phases;
  return {
    ...(reusedSocket ? {} : { ...measured('dns', dns), ...measured('tcp', tcp), ...measured('tls', tls) }),
    ...measured('first_byte', firstByte),
    ...measured('download', download),
  };
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
function measuredWithin(elapsedMs: number, phase: keyof Phases, ms: number | undefined): Phases {
  return ms !== undefined && ms >= 0 && ms <= elapsedMs + 1 ? { [phase]: ms } : {};
}
