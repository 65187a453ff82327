import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { CannotStart } from '@driftwire/local-servers';
import { readJsonFile } from './atomic-file.js';
import { identifyProcess, isAlive, isIdentity, type ProcessIdentity } from './process-identity.js';

/** One supervisor per data directory, for as long as that process lives; nothing needs to be removed after a kill -9. */
export function lockDataDir(dataDir: string): { release: () => void } {
  const file = join(dataDir, 'supervisor.json');
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(identifyProcess(process.pid)), { mode: 0o600 });
  try {
    while (!takeLock(draft, file)) removeStaleLock(dataDir, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return { release: () => rmSync(file, { force: true }) };
}

/** A link to a finished file: it either appears whole or not at all. */
function takeLock(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * The rename decides between two starts that both found the stale lock; should it have caught the other's new lock, that
 * is put back.
 */
function removeStaleLock(dataDir: string, file: string): void {
  refuseIfHeld(dataDir, readHolder(file));
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const holder = readHolder(aside);
  if (holder && isAlive(holder)) takeLock(aside, file);
  rmSync(aside, { force: true });
  refuseIfHeld(dataDir, holder);
}

function refuseIfHeld(dataDir: string, holder: ProcessIdentity | undefined): void {
  if (!holder || !isAlive(holder)) return;
  throw new CannotStart(
    `Driftwire already runs on ${dataDir} (pid ${holder.pid}): stop it with "kill ${holder.pid}", or start a second one with "DATA_DIR=<another> PORT=<another> npm start"`,
  );
}

function readHolder(file: string): ProcessIdentity | undefined {
  const holder = readJsonFile(file);
  return isIdentity(holder) ? holder : undefined;
}

function hasCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
