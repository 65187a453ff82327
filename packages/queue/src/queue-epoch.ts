import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * A mark that lives and dies with the jobs: whoever finds none leaves a new one. That it has changed is how a wiped Redis
 * is told from one that only lost a job.
 */
export async function readOrSetEpoch(redis: Redis, key: string): Promise<string> {
  const found = await redis.get(key);
  if (found !== null) return found;
  await redis.set(key, randomUUID(), 'NX');
  const epoch = await redis.get(key);
  if (epoch === null) throw new Error(`the epoch in Redis was removed while it was set: ${key}`);
  return epoch;
}
