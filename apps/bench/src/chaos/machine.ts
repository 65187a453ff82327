import { cpus, totalmem } from 'node:os';
import { Redis } from 'ioredis';
import { withSession } from './database-session.js';
import { readServerVersion } from './history.js';
import type { Settings } from './settings.js';
import { LEASE_MS, REQUEST_TIMEOUT_MS, RETRY_BASE_DELAY_MS } from './stack-limits.js';

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

export function writeMachine(machine: Machine, settings: Settings): string {
  const { cpu, cores, memoryGiB, node, postgres, redis } = machine;
  return [
    `${cores} × ${cpu}, ${memoryGiB} GiB; Node ${node}, Postgres ${postgres}, Redis ${redis}`,
    `2 APIs, ${settings.workers} workers, request timeout ${REQUEST_TIMEOUT_MS} ms, lease ${LEASE_MS} ms, first retry after ${RETRY_BASE_DELAY_MS} ms, seed ${settings.seed}`,
  ].join('\n');
}

async function readRedisVersion(url: string): Promise<string> {
  const redis = new Redis(url, { commandTimeout: 3_000 });
  redis.on('error', () => {});
  try {
    const [, version = 'unknown'] = /redis_version:(\S+)/.exec(await redis.info('server')) ?? [];
    return version;
  } finally {
    redis.disconnect();
  }
}
