import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The process id in postmaster.pid, which a crash leaves behind and a later process may have been given again. */
export function readPostmasterPid(dataDir: string): number | undefined {
  const pid = Number(readLines(dataDir)[0]);
  return pid > 0 ? pid : undefined;
}

/** By the last line of postmaster.pid, as `pg_ctl --wait` does. */
export function isPostmasterReady(dataDir: string, pid: number): boolean {
  const lines = readLines(dataDir);
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** The Postgres that runs on this data directory, whoever started it. One that only waits to be collected (Z) does not. */
export function findRunningPostmaster(dataDir: string): number | undefined {
  const pid = readPostmasterPid(dataDir);
  if (pid === undefined) return undefined;
  const { stdout } = spawnSync('ps', ['-o', 'stat=,args=', '-p', `${pid}`], { encoding: 'utf8' });
  return /^[^Z]\S*\s.*(postgres|postmaster)/.test(stdout ?? '') ? pid : undefined;
}

/** No look before the read: Postgres replaces the file while it starts and removes it when it stops. */
function readLines(dataDir: string): string[] {
  try {
    return readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}
