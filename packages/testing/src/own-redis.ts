import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, type LocalServer, redisUrl, startRedis } from '@driftwire/local-servers';
import { Redis } from 'ioredis';

export type OwnRedis = {
  url: string;
  start: () => Promise<void>;
  /** With everything it held: the next start is an empty server. */
  stop: () => Promise<void>;
  /** Keeps its connections open and answers nothing. */
  freeze: () => void;
  thaw: () => void;
  /** One command, on a connection of its own. */
  run: (command: string, ...args: (string | number)[]) => Promise<unknown>;
  close: () => Promise<void>;
};

/** A Redis of one test's own, on a port that stays the same, for taking away. Not started yet. */
export async function ownRedis(): Promise<OwnRedis> {
  const [dir, port] = await Promise.all([mkdtemp(join(tmpdir(), 'driftwire-redis-')), findFreePort()]);
  let server: LocalServer | undefined;

  const signal = (name: NodeJS.Signals) => server && process.kill(server.pid, name);
  const stop = async () => {
    await server?.stop();
    server = undefined;
  };
  const run = async (command: string, ...args: (string | number)[]) => {
    const redis = new Redis(redisUrl(port));
    return redis.call(command, ...args).finally(() => redis.disconnect());
  };
  return {
    url: redisUrl(port),
    start: async () => {
      server = await startRedis({ dir: join(dir, 'data'), port, settings: { appendonly: 'no' } });
    },
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    run,
    close: async () => {
      signal('SIGCONT');
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
