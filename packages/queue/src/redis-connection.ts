import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';

/**
 * The one place that opens connections to Redis (TLS, Sentinel and Cluster would go here). An unreachable server is
 * reported through `onError`, again and again while ioredis reconnects; it never throws out of an event.
 */
function connectRedis(url: string, options: Patience, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, { connectTimeout: 2_000, retryStrategy: reconnectDelayMs, ...options });
  redis.on('error', onError);
  return redis;
}

type Patience = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>;

/** Short, because everything waits for Redis to come back; bounded, because thousands may be waiting. */
function reconnectDelayMs(tries: number): number {
  return Math.min(50 * 2 ** Math.min(tries, 5), 1_000);
}

const ANSWER_MS = 1_000;

/** True when Redis answers a ping within a second: a frozen server keeps its connections open. */
export async function redisAnswers(redis: Redis): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  const answered = new AbortController();
  const tooLate = delay(ANSWER_MS, false, { signal: answered.signal }).catch(() => false);
  const answer = redis.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answer, tooLate]).finally(() => answered.abort());
}

/** For adding jobs: every command is answered or refused within a second, so that no request ever hangs on Redis. */
export function connectProducer(url: string, onError: (error: Error) => void): Redis {
  return connectRedis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_000 }, onError);
}

/** For taking jobs: blocking reads wait as long as they must, and a command timeout would cut them off. */
export function connectConsumer(url: string, onError: (error: Error) => void): Redis {
  return connectRedis(url, { maxRetriesPerRequest: null }, onError);
}
