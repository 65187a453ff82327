import { between, chanceOf } from './chance.js';
import { POISON_TYPE } from './endpoints.js';

/** The poison is the event before the first. */
export const POISON_N = 0;

const LIMITED_TYPE = 'drift.limited';
/** Most go to three endpoints that behave, as long as they can; `calm` ones with a suffix to two of them and another one. */
const MIX = [
  { share: 0.03, type: 'drift.calm.gone' },
  { share: 0.03, type: 'drift.calm.paused' },
  { share: 0.03, type: LIMITED_TYPE },
  { share: 0.06, type: 'drift.broken' },
  { share: 0.25, type: 'drift.flaky' },
];
const BATCH_SHARE = 0.2;
const LARGEST_BATCH = 5;
/** Whatever the seed, so many come at once for the endpoints with limits: more than these allow in a second. */
const RUSH = 30;
const RUSH_EVERY = 200;
const RUSH_FROM = 10;

export function eventType(seed: number, n: number): string {
  if (n === POISON_N) return POISON_TYPE;
  if (isInRush(n)) return LIMITED_TYPE;
  let draw = chanceOf(seed, 'type', n)();
  for (const { share, type } of MIX) {
    if (draw < share) return type;
    draw -= share;
  }
  return 'drift.calm';
}

function isInRush(n: number): boolean {
  return n % RUSH_EVERY >= RUSH_FROM && n % RUSH_EVERY < RUSH_FROM + RUSH;
}

export type PlannedPost = { ns: number[]; atMs: number };

/** Events 1 to `events`, evenly over the time, one by one or in small batches, and a rush in one. */
export function planPosts(seed: number, { events, overMs }: { events: number; overMs: number }): PlannedPost[] {
  const chance = chanceOf(seed, 'posts');
  const posts: PlannedPost[] = [];
  for (let n = 1; n <= events; ) {
    const batch = chance() < BATCH_SHARE ? between(chance, 2, LARGEST_BATCH) : 1;
    const size = Math.min(isInRush(n) ? RUSH : Math.min(batch, untilRush(n)), events - n + 1);
    posts.push({ ns: Array.from({ length: size }, (_, index) => n + index), atMs: ((n - 1) / events) * overMs });
    n += size;
  }
  return posts;
}

/** How many events come before the next rush, from `n` on. */
function untilRush(n: number): number {
  return (RUSH_EVERY + RUSH_FROM - (n % RUSH_EVERY)) % RUSH_EVERY;
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
