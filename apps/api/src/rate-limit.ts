import type { connectCounter } from '@driftwire/queue';
import type { FastifyInstance } from 'fastify';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problem.js';

export type RateLimitOptions = {
  /** Requests per second and key. */
  perSecond: number;
  /** A connection of its own, whose commands fail fast: every request waits for it. */
  redis: ReturnType<typeof connectCounter>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/** What is left of a key's share, and when it is whole again. */
export type Share = { isOver: boolean; remaining: number; resetMs: number };

/** A Redis that failed is not asked again for so long: a frozen one would hold up every request. */
const DISTRUST_MS = 1_000;

/**
 * Counts a key's requests in windows of a second, in Redis, for all API processes together. While Redis is away each
 * process counts for itself: nobody waits longer than the connection's command timeout, and nobody is let through uncounted.
 */
export function createRateLimiter({ perSecond, redis, now }: RateLimitOptions): (key: string) => Promise<Share> {
  const limit = { points: perSecond, duration: 1 };
  const own = new RateLimiterMemory(limit);
  const shared = new RateLimiterRedis({
    ...limit,
    storeClient: redis,
    keyPrefix: 'driftwire:rate',
    rejectIfRedisNotReady: true,
    // Who is over the limit already is refused without asking.
    inMemoryBlockOnConsumed: perSecond + 1,
  });
  let trustedFrom = Number.NEGATIVE_INFINITY;

  return async (key) => {
    if (now() < trustedFrom) return shareOf(own.consume(key));
    try {
      return await shareOf(shared.consume(key));
    } catch {
      trustedFrom = now() + DISTRUST_MS;
      return shareOf(own.consume(key));
    }
  };
}

/** The library rejects with a result where the share is used up, and with an error where Redis failed. */
async function shareOf(consuming: Promise<RateLimiterRes>): Promise<Share> {
  try {
    const { remainingPoints, msBeforeNext } = await consuming;
    return { isOver: false, remaining: remainingPoints, resetMs: msBeforeNext };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return { isOver: true, remaining: 0, resetMs: refusal.msBeforeNext };
  }
}

/**
 * Refuses with 429 whoever is over its share, and tells everybody how much is left (draft-ietf-httpapi-ratelimit-headers-06).
 * After authentication, so that a stranger cannot use up somebody's share, and before the body is read.
 */
export function limitRate(app: FastifyInstance, options: RateLimitOptions): void {
  const count = createRateLimiter(options);
  app.addHook('preParsing', async (request, reply) => {
    const { isOver, remaining, resetMs } = await count(request.caller?.keyId ?? 'environment');
    const resetS = Math.ceil(resetMs / 1_000);
    reply.headers({
      'ratelimit-limit': options.perSecond,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': resetS,
    });
    if (!isOver) return;
    reply.header('retry-after', resetS);
    throw new Problem(
      'rate_limited',
      `This key may make ${options.perSecond} requests per second: wait, or send batches.`,
    );
  });
}
