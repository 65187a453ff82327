/**
 * How many places an endpoint gets, by a dynamic threshold (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
 * switches", 1998): another one while it has fewer than twice as many as are free. One busy endpoint gets two thirds of them, three
 * share six sevenths, and there is always room for one that comes new. Nothing to configure, and nothing to know of other workers.
 */
const SHARE_OF_FREE = 2;
/**
 * So much of all places is kept for endpoints that may be trusted to give one back soon: with whole places the rule gives the last one
 * away. Those that have none yet are trusted with one.
 */
const RESERVE = 10;
/** So long a timeout is held against an endpoint, and a request that ended counts for it. */
const REMEMBERED_MS = 60_000;
/** So long a request takes that may turn out to hang. */
const SLOW_MS = 1_000;
/** How long a rate remembers. */
const RATE_MEMORY_MS = 200;
/** So long a delivery may be expected to wait in the worker, which is quicker than to hold it and let it go. */
const LONGEST_WAIT_MS = 150;
/** So long a request may take, and a delivery wait, before anything is made of it. */
const SHORT_MS = 100;
/** Where the endpoint has no place whose end could be waited for: all are other endpoints'. */
const PATIENCE_MS = 1_000;
/** So much of all places may wait for a place: while more do, no job is taken. */
const IN_LINE = 4;

export type Standing = {
  /** Places of this endpoint. */
  taken: number;
  /** How many of its requests end in a millisecond, of late. */
  endedPerMs: number;
  /** For how long the oldest of its requests has been in flight. */
  oldestMs: number;
  /** Since one of its requests has ended. */
  sinceEndedMs: number;
  /** Since its last timeout. */
  sinceTimeoutMs: number;
};

/** Whether an endpoint may take another of the places that are free. */
export function mayTake(standing: Standing, { free, total }: { free: number; total: number }): boolean {
  const isLeft = free > (isTrusted(standing) ? 0 : Math.floor(total / RESERVE));
  return isLeft && standing.taken < SHARE_OF_FREE * free;
}

function isTrusted({ taken, oldestMs, sinceEndedMs, sinceTimeoutMs }: Standing): boolean {
  if (sinceTimeoutMs < REMEMBERED_MS || oldestMs > SLOW_MS) return false;
  return taken === 0 || sinceEndedMs < REMEMBERED_MS;
}

/** Whether a delivery that has waited for a place, and has so many of its endpoint before it, may expect one soon. */
export function isInSight(standing: Standing, { ahead, waitedMs }: { ahead: number; waitedMs: number }): boolean {
  if (waitedMs > PATIENCE_MS) return false;
  if (standing.taken === 0 || standing.oldestMs < SHORT_MS || waitedMs < SHORT_MS) return true;
  return ahead + 1 <= standing.endedPerMs * LONGEST_WAIT_MS;
}

/** How many deliveries may wait for a place. */
export function longestLine(total: number): number {
  return Math.ceil(total / IN_LINE);
}

/** A rate that forgets: of `perMs` as it was `sinceMs` ago, what is left of it now. */
export function decayed(perMs: number, sinceMs: number): number {
  return perMs * Math.exp(-sinceMs / RATE_MEMORY_MS);
}

/** What one more event adds to such a rate. */
export const ONE_MORE = 1 / RATE_MEMORY_MS;
