import type { Redis } from 'ioredis';
import { answersOf, dueAtOf, type ToKey } from './queue-lists.js';

/**
 * Where a job is that has not finished. `unfinished`: waiting or running, as it should. `asleep`: delayed, and not due within
 * the longest that a worker puts a job off; or long due, and nobody woke it. `stray`: in none of BullMQ's lists, so that no
 * worker will ever take it.
 */
export type JobPlace = 'unfinished' | 'asleep' | 'stray';

/** Longer than a worker puts a job off that it could not begin. */
const LONGEST_SLEEP_MS = 60_000;
/** List entries that are passed over in one go: some 4 ms, in which Redis does nothing else. */
const ENTRIES_PASSED_OVER = 200_000;

type Unfinished = { id: string; addedAt: number };

/**
 * Where these jobs are, so cheaply that a long queue may be asked for all of its jobs: the delayed ones are told by a score, and
 * of the others only so many are looked for in the lists as cost no more than a moment, the oldest first. Jobs are taken in
 * their order, so that one that nobody takes is older than those that wait. The rest is taken to be where it should.
 */
export async function placesOf(
  redis: Redis,
  toKey: ToKey,
  jobs: readonly Unfinished[],
): Promise<ReadonlyMap<string, JobPlace>> {
  if (jobs.length === 0) return new Map();
  const [time, waiting, active, delayed] = await answersOf(
    redis
      .pipeline()
      .time()
      .llen(toKey('wait'))
      .llen(toKey('active'))
      .zmscore(
        toKey('delayed'),
        jobs.map(({ id }) => id),
      ),
    4,
  );
  const scores: unknown[] = Array.isArray(delayed) ? delayed : [];
  const nowMs = Number(Array.isArray(time) ? time[0] : 0) * 1_000;
  const affordable = Math.floor(ENTRIES_PASSED_OVER / (Number(waiting) + Number(active) + 1));
  const oldest = jobs.filter((_, index) => scores[index] === null).sort((one, other) => one.addedAt - other.addedAt);
  const strays = await strayAmong(redis, toKey, oldest.slice(0, affordable));
  return new Map([
    ...jobs.flatMap(({ id }, index) => (isAsleep(scores[index], nowMs) ? [[id, 'asleep'] as const] : [])),
    ...strays.map((id) => [id, 'stray'] as const),
  ]);
}

function isAsleep(score: unknown, nowMs: number): boolean {
  if (score === null || score === undefined) return false;
  const dueInMs = dueAtOf(Number(score)) - nowMs;
  return dueInMs > LONGEST_SLEEP_MS || dueInMs < -LONGEST_SLEEP_MS;
}

/** All at one instant: a job that is taken between two looks would be in neither list. */
async function strayAmong(redis: Redis, toKey: ToKey, jobs: readonly Unfinished[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const transaction = redis.multi();
  for (const { id } of jobs) {
    transaction
      .exists(toKey(id))
      .hexists(toKey(id), 'finishedOn')
      .zscore(toKey('delayed'), id)
      .zscore(toKey('prioritized'), id)
      .lpos(toKey('wait'), id)
      .lpos(toKey('active'), id);
  }
  const answers = await answersOf(transaction, jobs.length * LOOKS);
  return jobs.flatMap(({ id }, index) => {
    const [exists, isFinished, ...places] = answers.slice(index * LOOKS, (index + 1) * LOOKS);
    return exists === 1 && isFinished === 0 && places.every((place) => place === null) ? [id] : [];
  });
}

const LOOKS = 6;
