import { type OwnRedis, ownRedis, type Stack, startStack } from '@driftwire/testing';

/** What is to be undone when the test is over, in reverse order. Each test file has its own. */
export const cleanups: (() => Promise<unknown>)[] = [];

export async function cleanUp(): Promise<void> {
  for (const undo of cleanups.splice(0).reverse()) await undo();
}

export async function aStack(options: Parameters<typeof startStack>[0] = {}): Promise<Stack> {
  const stack = await startStack(options);
  cleanups.push(stack.close);
  return stack;
}

/** A stack whose Redis the test may take away. It has not been started yet. */
export async function aStackWithOwnRedis(): Promise<{ stack: Stack; redis: OwnRedis }> {
  const redis = await ownRedis();
  cleanups.push(redis.close);
  return { redis, stack: await aStack({ redisUrl: redis.url }) };
}
