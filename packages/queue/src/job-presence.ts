import type { Redis } from 'ioredis';

/** `unfinished`: waiting, delayed or running, and that is all that can be told cheaply, however long the queue is. */
export type JobPresence = 'missing' | 'finished' | 'unfinished';

/**
 * Looks at jobs by their keys, in one pipeline: about 0.02 ms each, where asking BullMQ for a state scans the wait list.
 * Rejects as a whole when Redis does not answer: half a look would take the rest for missing.
 */
export async function lookAtJobs(redis: Redis, keys: readonly string[]): Promise<JobPresence[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hmget(key, 'timestamp', 'finishedOn');
  const answers = (await pipeline.exec()) ?? [];
  if (answers.length !== keys.length) throw new Error(`Redis answered ${answers.length} of ${keys.length} looks`);
  return answers.map(([error, fields]) => {
    if (error) throw error;
    return presence(Array.isArray(fields) ? fields : []);
  });
}

function presence([timestamp, finishedOn]: unknown[]): JobPresence {
  if (typeof timestamp !== 'string') return 'missing';
  return typeof finishedOn === 'string' ? 'finished' : 'unfinished';
}
