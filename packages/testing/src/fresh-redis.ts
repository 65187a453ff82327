import { randomInt } from 'node:crypto';
import { Redis } from 'ioredis';
import { testServer } from './test-server.js';

const DATABASES = 4_096;

export type FreshRedis = { url: string; redis: Redis; flush: () => Promise<void>; close: () => Promise<void> };

/** A numbered database of its own on the shared test server, with a connection to look into it. */
export async function freshRedis(): Promise<FreshRedis> {
  const url = `${testServer('REDIS')}/${randomInt(1, DATABASES)}`;
  const redis = new Redis(url);
  if ((await redis.dbsize()) > 0) {
    redis.disconnect();
    return freshRedis();
  }
  await redis.set('taken', 1);
  return {
    url,
    redis,
    flush: async () => {
      await redis.flushdb();
    },
    close: async () => {
      await redis.flushdb();
      redis.disconnect();
    },
  };
}
