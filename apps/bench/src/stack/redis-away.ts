import { rmSync } from 'node:fs';
import { bringUp, keepDown } from './process-keeper.js';
import type { Stack } from './stack.js';

/** Redis is gone for as long as `act` takes, and then comes back empty, as another server would. Returns when it serves again. */
export async function whileRedisIsAway<T>(
  { redis, redisDir }: Pick<Stack, 'redis' | 'redisDir'>,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  await keepDown(redis);
  const result = await act();
  rmSync(redisDir, { recursive: true });
  await bringUp(redis, signal);
  return result;
}
