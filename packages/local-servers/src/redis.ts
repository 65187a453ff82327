import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { bareEnvironment } from './bare-environment.js';
import { findFreePort } from './free-port.js';
import { type LocalServer, startLocalServer } from './local-server.js';
import { ensureRedisServer } from './redis-server-binary.js';
import { redisServes } from './server-answers.js';
import type { ServerCommand } from './server-command.js';

/** `settings` are Redis's own, and win over ours. */
export type RedisOptions = { binary: string; dir: string; port: number; settings?: Record<string, string> };

const SETTINGS = {
  bind: '127.0.0.1',
  daemonize: 'no',
  // What BullMQ needs: no job may be evicted, and an append-only file brings the queue back after a crash.
  'maxmemory-policy': 'noeviction',
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '',
  loglevel: 'warning',
};

/** The command of a private server that keeps everything in `dir`, without a configuration file. */
export function redisCommand({ binary, dir, port, settings = {} }: RedisOptions): ServerCommand {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const options = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => [`--${name}`, value]);
  return {
    file: binary,
    // The server's title begins with it: `redis-server 127.0.0.1:<port>`.
    argv0: basename(binary),
    args: ['--port', `${port}`, ...options],
    // Not `--dir`: the command line is read as configuration, where a path with a space falls apart.
    cwd: dir,
    env: bareEnvironment(),
  };
}

/** For tests and measurements: answers when the server does. */
export async function startRedis(options: {
  dir: string;
  port?: number;
  settings?: Record<string, string>;
}): Promise<LocalServer> {
  const { dir, port = await findFreePort(), settings = {} } = options;
  const command = redisCommand({ binary: await ensureRedisServer(), dir, port, settings });
  const server = await startLocalServer({
    name: 'redis-server',
    command,
    isReady: (pid) => redisServes({ port, pid }),
    stopSignal: 'SIGTERM',
    logFile: `${dir}.log`,
  });
  return { ...server, port, url: redisUrl(port) };
}

export function redisUrl(port: number): string {
  return `redis://127.0.0.1:${port}`;
}
