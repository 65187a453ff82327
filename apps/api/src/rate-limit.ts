import type { connectCounter } from '@driftwire/queue';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problem.js';

export type RateLimitOptions = {
  /** Requests per second and key; of a batch each event is one. */
  perSecond: number;
  /** A connection of its own, whose commands fail fast: every request waits for it. */
  redis: ReturnType<typeof connectCounter>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/** What is left of a key's share, and when it is whole again. */
export type Share = { isOver: boolean; remaining: number; resetMs: number };

export type RateLimiter = {
  count: (key: string) => Promise<Share>;
  /** Counts what a request turned out to hold. It is served all the same; the key waits until it has made up for it. */
  charge: (key: string, points: number) => Promise<Share>;
};

/** A Redis that failed is not asked again for so long: a frozen one would hold up every request. */
const DISTRUST_MS = 1_000;

/**
 * The library's own counting, but for a charge (of more than one point) beyond the limit: the window lasts as long as the
 * limit takes to make up for it.
 */
const COUNT_AND_CHARGE = `
  redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  local consumed = redis.call('incrby', KEYS[1], ARGV[1])
  local left = redis.call('pttl', KEYS[1])
  local points, limit = tonumber(ARGV[1]), tonumber(ARGV[3])
  if points > 1 and consumed > limit then
    left = left + math.ceil(math.min(points, consumed - limit) * 1000 / limit)
    redis.call('pexpire', KEYS[1], left)
  end
  return {consumed, left}`;

/**
 * Counts a key's requests in windows of a second, in Redis, for all API processes together. While Redis is away each
 * process counts for itself: nobody waits longer than the connection's command timeout, and nobody is let through uncounted.
 */
export function createRateLimiter({ perSecond, redis, now }: RateLimitOptions): RateLimiter {
  const limit = { points: perSecond, duration: 1 };
  const own = new RateLimiterMemory(limit);
  const shared = new RateLimiterRedis({
    ...limit,
    storeClient: redis,
    keyPrefix: 'driftwire:rate',
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: COUNT_AND_CHARGE,
    // Who is over the limit already is refused without asking.
    inMemoryBlockOnConsumed: perSecond + 1,
  });
  let trustedFrom = Number.NEGATIVE_INFINITY;

  async function sharedOrOwn(askShared: () => Promise<Share>, askOwn: () => Promise<Share>): Promise<Share> {
    if (now() < trustedFrom) return askOwn();
    try {
      return await askShared();
    } catch {
      trustedFrom = now() + DISTRUST_MS;
      return askOwn();
    }
  }

  async function chargeOwn(key: string, points: number): Promise<RateLimiterRes> {
    const charged = await own.penalty(key, points);
    const over = Math.min(points, charged.consumedPoints - perSecond);
    if (over <= 0) return charged;
    return own.set(key, charged.consumedPoints, charged.msBeforeNext / 1_000 + over / perSecond);
  }

  return {
    count: (key) =>
      sharedOrOwn(
        () => shareOf(shared.consume(key)),
        () => shareOf(own.consume(key)),
      ),
    charge: (key, points) =>
      sharedOrOwn(
        async () => {
          const share = await shareOf(shared.penalty(key, points));
          // Should Redis fail meanwhile, a debt is not forgotten.
          if (share.remaining === 0) await own.set(key, perSecond, share.resetMs / 1_000);
          return share;
        },
        () => shareOf(chargeOwn(key, points)),
      ),
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
 * After authentication, so that a stranger cannot use up somebody's share, and before the body is read. How many events a
 * batch holds is known only then: it is let through, and its key pays for it before the next.
 */
export function limitRate(app: FastifyInstance, options: RateLimitOptions): void {
  const { count, charge } = createRateLimiter(options);
  app.addHook('preParsing', async (request, reply) => {
    const share = await count(rateKey(request));
    tell(reply, share);
    if (!share.isOver) return;
    reply.header('retry-after', seconds(share));
    throw new Problem(
      'rate_limited',
      `This key may send ${options.perSecond} requests or events per second: wait until it has made up for those before.`,
    );
  });
  app.decorateRequest('chargeEvents', async function (events: number, reply: FastifyReply) {
    // The request itself has paid for one.
    if (events > 1) tell(reply, await charge(rateKey(this), events - 1));
  });

  function tell(reply: FastifyReply, share: Share): void {
    reply.headers({
      'ratelimit-limit': options.perSecond,
      'ratelimit-remaining': share.remaining,
      'ratelimit-reset': seconds(share),
    });
  }
}

function rateKey({ caller }: FastifyRequest): string {
  return caller?.keyId ?? 'environment';
}

function seconds({ resetMs }: Share): number {
  return Math.ceil(resetMs / 1_000);
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined without a rate limit. */
    chargeEvents?: (events: number, reply: FastifyReply) => Promise<void>;
  }
}
