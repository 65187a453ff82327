import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { CannotStart, findRunningPostmaster } from '@driftwire/local-servers';
import { type ChildRecords, openChildRecords } from './child-records.js';
import { lockDataDir } from './data-dir-lock.js';
import { endLeftovers } from './leftovers.js';

export type DataDir = { postgresDir: string; redisDir: string; records: ChildRecords; release: () => void };

/** Ours alone from here on: locked, and free of the processes of a start that was killed. */
export async function openDataDir(dataDir: string, say: (line: string) => void): Promise<DataDir> {
  const { release, records } = takeDataDir(dataDir);
  const postgresDir = join(dataDir, 'postgres');
  try {
    await endLeftovers(records, say);
    refuseForeignPostgres(postgresDir);
  } catch (error) {
    release();
    throw error;
  }
  return { postgresDir, redisDir: join(dataDir, 'redis'), records, release };
}

function takeDataDir(dataDir: string): { release: () => void; records: ChildRecords } {
  try {
    mkdirSync(dataDir, { recursive: true });
    return { ...lockDataDir(dataDir), records: openChildRecords(dataDir) };
  } catch (error) {
    if (!isNativeError(error) || !('code' in error)) throw error;
    throw new CannotStart(`DATA_DIR ${dataDir} cannot be used (${error.message}): choose another`, { cause: error });
  }
}

/** Somebody started it by hand, or the records of it are lost: not ours to end. */
function refuseForeignPostgres(postgresDir: string): void {
  const pid = findRunningPostmaster(postgresDir);
  if (pid === undefined) return;
  throw new CannotStart(
    `A Postgres that Driftwire did not start runs on ${postgresDir} (pid ${pid}): stop it, or choose another DATA_DIR`,
  );
}
