import type { Redis } from 'ioredis';

/** BullMQ's score of a delayed job is its due time in milliseconds, times this, plus a counter. */
const SCORE_PER_MS = 0x1000;

/** The instant a delayed job is due at, in milliseconds of whoever delayed it. */
export function dueAtOf(score: number): number {
  return Math.floor(score / SCORE_PER_MS);
}

/** The keys of the queue, by BullMQ's name for them. */
export type ToKey = (list: string) => string;

/** Jobs that a worker could take now, those included whose delay is over. */
export async function countWaiting(redis: Redis, toKey: ToKey): Promise<number> {
  const counts = await Promise.all([
    redis.llen(toKey('wait')),
    redis.zcard(toKey('prioritized')),
    redis.zcount(toKey('delayed'), 0, Date.now() * SCORE_PER_MS),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What the commands answered; rejects with the first that failed. */
export async function answersOf(commands: ReturnType<Redis['pipeline']>, count: number): Promise<unknown[]> {
  const answers = (await commands.exec()) ?? [];
  if (answers.length !== count) throw new Error(`Redis answered ${answers.length} of ${count} looks`);
  return answers.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}
