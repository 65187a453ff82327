import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bareEnvironment } from './bare-environment.js';
import { CannotStart } from './cannot-start.js';
import { findPostgresBinaries } from './postgres-binaries.js';
import { findServerUser, runAs, type User } from './postgres-user.js';

export type NewCluster = {
  dataDir: string;
  password: string;
  /** False where losing the directory in a power cut does not matter: tests. */
  sync?: boolean;
  signal?: AbortSignal;
};

/**
 * Makes a database cluster unless there is one. It grows in a directory beside its place and is moved there whole: a
 * start that was killed half way must not leave something that looks like a cluster.
 */
export async function initPostgres(cluster: NewCluster): Promise<void> {
  if (isFile(join(cluster.dataDir, 'PG_VERSION'))) return;
  const user = findServerUser({ uid: 0, gid: 0 });
  const staging = `${cluster.dataDir}.new`;
  const passwordFile = `${cluster.dataDir}.password`;
  // With retries: the initdb of a start that was killed may still be writing.
  rmSync(staging, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(staging, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, cluster.password, { mode: 0o600 });
  giveTo(user, [staging, passwordFile]);
  try {
    await runInitdb(cluster, { staging, passwordFile, user });
    renameSync(staging, cluster.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(staging, { recursive: true, force: true });
  }
}

type Place = { staging: string; passwordFile: string; user: User | undefined };

async function runInitdb({ sync = true, signal }: NewCluster, { staging, passwordFile, user }: Place): Promise<void> {
  const { initdb } = findPostgresBinaries();
  const { prefix, ids } = runAs(user, [dirname(staging), dirname(initdb)]);
  const identity = ['--username=driftwire', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const contents = ['--encoding=UTF8', '--locale=C', ...(sync ? [] : ['--no-sync'])];
  const [file = initdb, ...args] = [...prefix, initdb, `--pgdata=${staging}`, ...identity, ...contents];
  const child = spawn(file, args, {
    ...ids,
    cwd: '/',
    env: bareEnvironment(),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  const interrupt = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', interrupt);
  const [code] = await once(child, 'close');
  signal?.removeEventListener('abort', interrupt);
  if (code !== 0)
    throw new CannotStart(`Postgres could not be initialised: ${complaint.trim().replaceAll('\n', ' | ')}`);
}

function giveTo(user: User | undefined, paths: string[]): void {
  if (user) for (const path of paths) chownSync(path, user.uid, user.gid);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
