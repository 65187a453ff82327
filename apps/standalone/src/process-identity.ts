import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid alone may belong to another process by now; with the time it started it is one process for ever. */
export type ProcessIdentity = { pid: number; startedAt: string };

/** Undefined if no such process runs; one that has ended and merely waits to be collected does not. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? readStartFromProc(pid) : readStartFromPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startedAt === startedAt;
}

/** For what was read back from a file. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return false;
  return typeof value.pid === 'number' && typeof value.startedAt === 'string';
}

/** proc(5): field 3 is the state, field 22 the start in ticks since boot; field 2 may hold spaces and parentheses. */
function readStartFromProc(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[19]];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return `${ticks} ticks after boot ${readIfThere('/proc/sys/kernel/random/boot_id').trim()}`;
}

function readStartFromPs(pid: number): string | undefined {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], { encoding: 'utf8', env });
  const [, state = '', start] = /^(\S+)\s+(.+)$/.exec(stdout.trim()) ?? [];
  return state.startsWith('Z') ? undefined : start;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
