import { between, chanceOf } from './chance.js';
import { POISON_TYPE } from './endpoints.js';

/** The poison is the event before the first. */
export const POISON_N = 0;

/** Most go to two endpoints that behave; `calm` ones with a suffix to a third one as well. */
const MIX = [
  { share: 0.03, type: 'drift.calm.gone' },
  { share: 0.03, type: 'drift.calm.paused' },
  { share: 0.04, type: 'drift.broken' },
  { share: 0.25, type: 'drift.flaky' },
];
const BATCH_SHARE = 0.2;
const LARGEST_BATCH = 5;

export function eventType(seed: number, n: number): string {
  if (n === POISON_N) return POISON_TYPE;
  let draw = chanceOf(seed, 'type', n)();
  for (const { share, type } of MIX) {
    if (draw < share) return type;
    draw -= share;
  }
  return 'drift.calm';
}

export type PlannedPost = { ns: number[]; atMs: number };

/** Events 1 to `events`, evenly over the time, one by one or in small batches. */
export function planPosts(seed: number, { events, overMs }: { events: number; overMs: number }): PlannedPost[] {
  const chance = chanceOf(seed, 'posts');
  const posts: PlannedPost[] = [];
  for (let n = 1; n <= events; ) {
    const size = Math.min(chance() < BATCH_SHARE ? between(chance, 2, LARGEST_BATCH) : 1, events - n + 1);
    posts.push({ ns: Array.from({ length: size }, (_, index) => n + index), atMs: ((n - 1) / events) * overMs });
    n += size;
  }
  return posts;
}

/** `n` travels in the webhook's body: from it a receiver knows how to behave. */
export function eventBody(seed: number, n: number): object {
  const data = {
    drift_type: 'DENIAL_RATE',
    baseline_value: 0.12,
    current_value: 0.31,
    severity: 0.8,
    confidence: 0.95,
    n,
  };
  return { event_type: eventType(seed, n), data };
}
