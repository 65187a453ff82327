import type { FreshRedis } from '@driftwire/testing';

/**
 * Whether a worker takes jobs from this Redis: then a connection waits for them. Other test files use the same server, each
 * a database of its own.
 */
export async function isTakingJobs(redis: FreshRedis['redis'] | undefined): Promise<boolean> {
  const clients = String(await redis?.client('LIST')).split('\n');
  return clients.some((client) => client.includes(` db=${redis?.options.db} `) && client.includes('cmd=bzpopmin'));
}
