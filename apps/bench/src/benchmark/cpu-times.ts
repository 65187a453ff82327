import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own tick. */
const MS_PER_TICK = 10;

/**
 * What a process and its children, living and waited for, have used of the processor so far, in milliseconds. Postgres
 * needs the children: each of its sessions is one.
 */
export function cpuMsOf(pid: number): number {
  return familyOf(pid).reduce((sum, member) => sum + cpuMsOfOne(member), 0);
}

/** Of one process and of those of its children that are gone. */
export function cpuMsOfOne(pid: number): number {
  const stat = readStat(pid);
  return stat === null ? 0 : stat.ownMs + stat.waitedForMs;
}

/** The process and all that descend from it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** The command line, or what the process calls itself instead. */
export function readTitle(pid: number): string {
  return (readProc(`${pid}/cmdline`) ?? '').replaceAll('\0', ' ');
}

/** Resident memory in MiB, without the children. */
export function residentMiB(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? '') ?? [];
  return Number(kib) / 1024;
}

/** What it takes of memory, in MiB: its own pages, and its share of those it has in common with others. Without the children. */
export function proportionalMiB(pid: number): number {
  const [, kib = '0'] = /^Pss:\s+(\d+) kB$/m.exec(readProc(`${pid}/smaps_rollup`) ?? '') ?? [];
  return Number(kib) / 1024;
}

type Stat = { parent: number; ownMs: number; waitedForMs: number };

/** proc_pid_stat(5). The name, in brackets, may hold anything: what is counted comes after it. */
function readStat(pid: number): Stat | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, childrensUser, childrensSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
  return {
    parent: parent ?? 0,
    ownMs: ((user ?? 0) + (system ?? 0)) * MS_PER_TICK,
    waitedForMs: ((childrensUser ?? 0) + (childrensSystem ?? 0)) * MS_PER_TICK,
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => readStat(other)?.parent === pid);
}

/** Null when the process is gone. */
function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return null;
  }
}
