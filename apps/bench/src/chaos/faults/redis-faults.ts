import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@driftwire/local-servers';
import { Redis } from 'ioredis';
import { type Keeper, strike, whenReady } from '../../stack/process-keeper.js';
import { type Inject, Missed } from './arena.js';
import { FAILS, whileOut } from './flow-faults.js';
import { comes, manyAreHeld } from './moments.js';
import { awake, victim } from './victim.js';

/** Far below a lease: nothing in flight is to be lost by the waiting. */
const BUNDLES_WITHIN_MS = 4_000;
const BUNDLES_TO_FLUSH = 5;
const HELD_TO_FLUSH = 40;

/** Every job is gone. */
const flush: Inject = ({ arena, struck }) =>
  withRedis(arena.stack.redisUrl, async (redis) => {
    await redis.flushall();
    struck();
  });

/** With bundles among the jobs that wait: no worker takes any until some do. */
const flushBundles: Inject = ({ arena, struck, signal }) =>
  withRedis(arena.stack.redisUrl, (redis) =>
    withFrozen(arena.stack.workers, async () => {
      const wait = async () => (await waitingBundles(redis)) >= BUNDLES_TO_FLUSH;
      if (!(await until(wait, { deadlineMs: BUNDLES_WITHIN_MS, signal }))) throw new Missed('no bundles came');
      await redis.flushall();
      struck();
    }),
  );

/** What is held in Postgres knows nothing of it: a receiver is out until that is a lot. */
const flushHeld: Inject = (context) =>
  whileOut(context.arena, { name: 'flaky', reply: FAILS }, async () => {
    const { databaseUrl } = context.arena.stack;
    if (!(await comes(databaseUrl, manyAreHeld(HELD_TO_FLUSH), context.signal))) throw new Missed('too few were held');
    await flush(context);
  });

async function waitingBundles(redis: Redis): Promise<number> {
  const [waiting, behind] = await Promise.all([
    redis.lrange('driftwire:deliveries:wait', 0, -1),
    redis.zrange('driftwire:deliveries:prioritized', '0', '-1'),
  ]);
  return [...waiting, ...behind].filter((id) => id.startsWith('bundle-')).length;
}

async function withRedis(url: string, use: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 3_000, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** All that run; what another fault has frozen stays so. */
async function withFrozen(workers: readonly Keeper[], act: () => Promise<void>): Promise<void> {
  const frozen = awake(workers).map((keeper) => ({ keeper, child: keeper.child }));
  for (const { keeper, child } of frozen) {
    keeper.isFrozen = true;
    child?.kill('SIGSTOP');
  }
  try {
    await act();
  } finally {
    for (const { keeper, child } of frozen) {
      child?.kill('SIGCONT');
      if (keeper.child === child) keeper.isFrozen = false;
    }
  }
}

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

export const REDIS_FAULTS = {
  'redis-flush': flush,
  'redis-flush-bundles': flushBundles,
  'redis-flush-held': flushHeld,
  'redis-freeze': freeze,
  'redis-kill': kill,
};
