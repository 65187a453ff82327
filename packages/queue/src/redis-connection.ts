import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { explained, isReply } from './redis-refusal.js';
import { onRightServer } from './right-server.js';

/**
 * The one place that opens connections to Redis (TLS, Sentinel and Cluster would go here). An unreachable server is
 * reported through `onError`, again and again while ioredis reconnects; it never throws out of an event.
 */
function connectRedis(
  url: string,
  options: Patience,
  onError: (error: Error) => void,
  Connection: typeof SharedWrites = SharedWrites,
): Redis {
  const redis = new Connection(url, { connectTimeout: 2_000, retryStrategy: reconnectDelayMs, ...options });
  redis.on('error', (error) => onError(explained(error)));
  return onRightServer(redis);
}

/**
 * Commands of one turn of the event loop leave in one write. ioredis makes a system call for each, and jobs whose outcomes
 * were recorded together all tell Redis at once.
 */
class SharedWrites extends Redis {
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    this.shareTurn();
    return super.sendCommand(...command);
  }

  protected shareTurn(): void {
    const { stream } = this;
    if (!stream?.writable || stream.writableCorked > 0) return;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }

  /** BullMQ's blocking connection is a copy. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return onRightServer(super.duplicate(override));
  }
}

/** The first command of a turn leaves at once: a worker waits for the job, and nobody for what else this turn has to do. */
class FirstAtOnce extends SharedWrites {
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const answer = Redis.prototype.sendCommand.apply(this, command);
    this.shareTurn();
    return answer;
  }
}

type Patience = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>;

/** Short, because everything waits for Redis to come back; bounded, because thousands may be waiting. */
function reconnectDelayMs(tries: number): number {
  return Math.min(50 * 2 ** Math.min(tries, 5), 1_000);
}

const ANSWER_MS = 1_000;
/** More than a ping gets by itself: it may stand behind a thousand jobs on the same connection. */
export const COMMAND_TIMEOUT_MS = 2_000;

/** True when Redis answers a ping in time, within a second unless told: a frozen server keeps its connections open. */
export async function redisAnswers(redis: Redis, withinMs = ANSWER_MS): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  return inTime(
    redis.ping().catch(() => null),
    withinMs,
  );
}

const WRITTEN_FOR_MS = 60_000;

/**
 * True when Redis takes a write within a second. One that is a replica, full, or has no right for us answers every ping; why
 * it refuses is told through `onError`.
 */
export async function redisTakesWrites(
  redis: Redis,
  prefix: string,
  onError: (error: Error) => void,
): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  const written = redis.set(`${prefix}:ready`, 1, 'PX', WRITTEN_FOR_MS).catch((error: Error) => {
    if (isReply(error)) onError(explained(error));
    return null;
  });
  return inTime(written, ANSWER_MS);
}

/** `answer` is null when there was none. */
async function inTime(answer: Promise<unknown>, withinMs: number): Promise<boolean> {
  const done = new AbortController();
  const tooLate = delay(withinMs, null, { signal: done.signal }).catch(() => null);
  return (await Promise.race([answer, tooLate]).finally(() => done.abort())) !== null;
}

/** For adding jobs: every command is answered or refused in bounded time, so that nothing ever hangs on Redis. */
export function connectProducer(url: string, onError: (error: Error) => void): Redis {
  return connectRedis(
    url,
    { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS },
    onError,
    FirstAtOnce,
  );
}

/** Less than anybody would notice, and more than a healthy server ever takes for a counter. */
const COUNTER_TIMEOUT_MS = 40;

/** For counting requests, each of which waits for it: a command that is not answered at once has failed. */
export function connectCounter(url: string, onError: (error: Error) => void): Redis {
  return connectRedis(
    url,
    { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COUNTER_TIMEOUT_MS },
    onError,
  );
}

/** For taking jobs: blocking reads wait as long as they must, and a command timeout would cut them off. */
export function connectConsumer(url: string, onError: (error: Error) => void): Redis {
  return connectRedis(url, { maxRetriesPerRequest: null }, onError);
}
