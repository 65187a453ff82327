import type { Redis } from 'ioredis';
import { type JobPlace, placesOf } from './job-place.js';
import { answersOf, type ToKey } from './queue-lists.js';

/** `missing`: Redis holds nothing of it. `finished`: it has ended and is kept for the dashboard. Else where it is. */
export type JobPresence = 'missing' | 'finished' | JobPlace;

/**
 * Looks at jobs by their keys, in one pipeline: about 0.02 ms each, where asking BullMQ for a state scans the wait list. Only
 * those that have not finished are looked for in its lists, see `placesOf`. Rejects as a whole when Redis does not answer: half
 * a look would take the rest for missing.
 */
export async function lookAtJobs(redis: Redis, toKey: ToKey, ids: readonly string[]): Promise<JobPresence[]> {
  // A bundle's id comes once for each delivery in it.
  const distinct = [...new Set(ids)];
  const presences = await lookAtDistinct(redis, toKey, distinct);
  const byId = new Map(distinct.map((id, index) => [id, presences[index] ?? 'missing']));
  return ids.map((id) => byId.get(id) ?? 'missing');
}

async function lookAtDistinct(redis: Redis, toKey: ToKey, ids: readonly string[]): Promise<JobPresence[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(toKey(id), 'timestamp', 'finishedOn', 'processedOn');
  const hashes = (await answersOf(pipeline, ids.length)).map(parseHash);
  const unfinished = hashes.flatMap(({ presence, addedAt }, index) =>
    presence === 'unfinished' ? [{ id: ids[index] ?? '', addedAt }] : [],
  );
  const places = await placesOf(redis, toKey, unfinished);
  return hashes.map(({ presence }, index) =>
    presence === 'unfinished' ? (places.get(ids[index] ?? '') ?? 'unfinished') : presence,
  );
}

/** A job taken from a list without ever having had a hash has one with no `timestamp`: BullMQ ran it, and keeps it. */
function parseHash(fields: unknown): { presence: 'missing' | 'finished' | 'unfinished'; addedAt: number } {
  const [addedAt, finishedOn, processedOn] = Array.isArray(fields) ? fields : [];
  if (typeof finishedOn === 'string') return { presence: 'finished', addedAt: 0 };
  if (typeof addedAt !== 'string' && typeof processedOn !== 'string') return { presence: 'missing', addedAt: 0 };
  return { presence: 'unfinished', addedAt: Number(addedAt ?? 0) };
}
