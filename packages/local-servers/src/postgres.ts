import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { bareEnvironment } from './bare-environment.js';
import { CannotStart } from './cannot-start.js';
import { findFreePort } from './free-port.js';
import { type LocalServer, startLocalServer } from './local-server.js';
import { findPostgresBinaries } from './postgres-binaries.js';
import { initPostgres } from './postgres-cluster.js';
import { findServerUser, runAs } from './postgres-user.js';
import { readPostmasterPid } from './postmaster-pid.js';
import { postgresServes } from './server-answers.js';
import type { ServerCommand } from './server-command.js';

/** `settings` are Postgres's own, and win over ours. */
export type PostgresOptions = { dataDir: string; port: number; settings?: Record<string, string> };

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // A socket's path may have 107 bytes, and a data directory any number.
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The server's own troubles only: a failed statement is its sender's to report, and its text may hold customer data.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  // As durable as Linux's default, in one system call, and it does not wait for what others write to the same disk.
  ...(process.platform === 'linux' ? { wal_sync_method: 'open_datasync' } : {}),
};

/** The command that serves an initialised data directory. Ask again before every start: it depends on what is there. */
export function postgresCommand({ dataDir, port, settings = {} }: PostgresOptions): ServerCommand {
  const { postgres } = findPostgresBinaries();
  const owner = statSync(dataDir);
  refuseForeignDirectory(dataDir, owner.uid);
  chmodSync(dataDir, 0o700);
  const { prefix, ids } = runAs(findServerUser(owner), [dirname(dataDir), dirname(postgres)]);
  const options = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [file = postgres, ...args] = [...prefix, postgres, '-D', dataDir, '-p', `${port}`, ...options];
  return { file, args, cwd: '/', env: postgresEnvironment(dataDir), ...ids };
}

/** For tests and measurements: initialises the directory if need be and answers when the server accepts sessions. */
export async function startPostgres(options: {
  dataDir: string;
  port?: number;
  password?: string;
  settings?: Record<string, string>;
}): Promise<LocalServer> {
  const { dataDir, password = 'driftwire', settings = {} } = options;
  await initPostgres({ dataDir, password, sync: settings.fsync !== 'off' });
  // Only now: a free port is free for a moment, and initialising takes a second.
  const port = options.port ?? (await findFreePort());
  const server = await startLocalServer({
    name: 'Postgres',
    command: postgresCommand({ dataDir, port, settings }),
    isReady: (pid) => postgresServes({ dataDir, port, pid }),
    stopSignal: 'SIGINT',
    logFile: `${dataDir}.log`,
  });
  return { ...server, port, url: postgresUrl({ port, password }) };
}

export function postgresUrl({ port, password }: { port: number; password: string }): string {
  return `postgresql://driftwire:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

/**
 * PG_GRANDPARENT_PID is how pg_ctl says "the pid in postmaster.pid is not a rival": without it, a crashed server whose
 * pid now belongs to another process of this user would refuse to start for ever. A rival that does live is still
 * refused, by the shared memory it holds.
 */
function postgresEnvironment(dataDir: string): Record<string, string> {
  const stalePid = readPostmasterPid(dataDir);
  return { ...bareEnvironment(), ...(stalePid === undefined ? {} : { PG_GRANDPARENT_PID: `${stalePid}` }) };
}

function refuseForeignDirectory(dataDir: string, ownerUid: number): void {
  const uid = process.getuid?.();
  if (uid === undefined || uid === 0 || uid === ownerUid) return;
  throw new CannotStart(
    `${dataDir} belongs to user id ${ownerUid}, and you are ${uid}: start as that user, or choose another DATA_DIR`,
  );
}
