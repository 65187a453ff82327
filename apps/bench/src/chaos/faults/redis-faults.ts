import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { strike, whenReady } from '../../stack/process-keeper.js';
import type { Inject } from './arena.js';
import { victim } from './victim.js';

/** Every job is gone. */
const flush: Inject = async ({ arena, struck }) => {
  const redis = new Redis(arena.stack.redisUrl, {
    maxRetriesPerRequest: 1,
    commandTimeout: 3_000,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.flushall();
    struck();
  } finally {
    redis.disconnect();
  }
};

/** Its connections stay open, and nothing answers. */
const freeze: Inject = async ({ arena, fault, struck, signal }) => {
  const { child } = victim([arena.stack.redis], 0);
  child?.kill('SIGSTOP');
  struck();
  try {
    await pause(fault.durationMs, undefined, { signal });
  } finally {
    child?.kill('SIGCONT');
  }
};

/** Comes back with its append-only file, which may lack the last second. Over when it serves again. */
const kill: Inject = async ({ arena, struck, signal }) => {
  strike(victim([arena.stack.redis], 0), 'SIGKILL', 'kill');
  struck();
  await whenReady(arena.stack.redis, signal);
};

export const REDIS_FAULTS = { 'redis-flush': flush, 'redis-freeze': freeze, 'redis-kill': kill };
