import type { Redis } from 'ioredis';
import { isSelectRefused } from './redis-refusal.js';

/**
 * After a failover the server at the other end is a replica, and stays there: connections survive it, and every write is
 * refused for ever. A new connection leads to the new primary. Redis before 7 says so in the middle of a script's error.
 */
const LEFT_BEHIND = /^(READONLY|UNBLOCKED|MASTERDOWN|NOREPLICAS)\b|-READONLY /;
/** A new connection that is refused so soon leads to the same server: another would, too, and be no more than a storm. */
const SETTLED_MS = 1_000;

/**
 * Keeps a connection on a server and in a database where it may write: it leaves a demoted server, at most once a second, and
 * never goes on without its database. Commands refused by the old server go to the new one; where nothing may queue up
 * (`enableOfflineQueue`) they are refused.
 */
export function onRightServer(redis: Redis): Redis {
  let readyAt = Number.NEGATIVE_INFINITY;
  redis.on('ready', () => {
    readyAt = performance.now();
  });
  redis.options.reconnectOnError = (error) => {
    if (!LEFT_BEHIND.test(error.message) || performance.now() - readyAt < SETTLED_MS) return false;
    return redis.options.enableOfflineQueue === false ? 1 : 2;
  };
  redis.on('error', (error) => {
    if (isSelectRefused(error)) redis.disconnect(true);
  });
  return redis;
}
