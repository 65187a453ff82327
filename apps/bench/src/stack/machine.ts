import { cpus, totalmem } from 'node:os';
import { type Session, withSession } from './database-session.js';
import { redisSession } from './redis-session.js';

export type Machine = { cpu: string; cores: number; memoryGiB: number; node: string; postgres: string; redis: string };

export async function describeMachine(urls: { databaseUrl: string; redisUrl: string }): Promise<Machine> {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres: await withSession(urls.databaseUrl, readServerVersion),
    redis: await readRedisVersion(urls.redisUrl),
  };
}

export function writeMachine({ cpu, cores, memoryGiB, node, postgres, redis }: Machine): string {
  return `${cores} × ${cpu}, ${memoryGiB} GiB; Node ${node}, Postgres ${postgres}, Redis ${redis}`;
}

async function readServerVersion({ query }: Session): Promise<string> {
  const [row] = await query<{ server_version: string }>('SHOW server_version');
  return row?.server_version ?? 'unknown';
}

function readRedisVersion(url: string): Promise<string> {
  return redisSession(url, async (redis) => {
    const [, version = 'unknown'] = /redis_version:(\S+)/.exec(await redis.info('server')) ?? [];
    return version;
  });
}
