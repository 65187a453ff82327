/**
 * How many places an endpoint gets, by a dynamic threshold (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
 * switches", 1998): another one while it has fewer than twice as many as are free. One busy endpoint gets two thirds of them, three
 * share six sevenths, and there is always room for one that comes new. Nothing to configure, and nothing to know of other workers.
 */
const SHARE_OF_FREE = 2;
/** And all endpoints of a customer together: four fifths, or fifty endpoints would be fifty shares. */
const CUSTOMERS_SHARE_OF_FREE = 4;
/**
 * So much of all places is kept for endpoints that are proven to give one back soon: with whole places the rule gives the last one away.
 * An endpoint of which nothing is known is trusted with one place, down to half of that.
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
/** No delivery waits longer in the worker. */
const PATIENCE_MS = 1_000;
/** So many of an endpoint of which nothing has ended may stand in line once its first requests have been out for a moment. */
const MOST_UNPROVEN = 4;
/** So much of all places may wait for a place that comes soon: while more do, no job is taken. */
const IN_LINE = 4;
/** Whoever is given a place within that time keeps others waiting no longer. */
const SOON_MS = 25;

export type Standing = {
  /** Places of this endpoint. */
  taken: number;
  /** Of all endpoints of its customer, as far as they are known. */
  takenByCustomer: number;
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
  if (standing.takenByCustomer >= CUSTOMERS_SHARE_OF_FREE * free) return false;
  return free > keptFrom(standing, total) && standing.taken < SHARE_OF_FREE * free;
}

/** Places that are free for endpoints of which nothing good is known, together. */
export function spare({ free, total }: { free: number; total: number }): number {
  return Math.max(0, free - Math.floor(total / RESERVE));
}

/** How many places are not for an endpoint like this. */
function keptFrom(standing: Standing, total: number): number {
  if (isProven(standing)) return 0;
  return Math.floor(total / (isDoubted(standing) || standing.taken > 0 ? RESERVE : 2 * RESERVE));
}

function isProven(standing: Standing): boolean {
  return standing.sinceEndedMs < REMEMBERED_MS && !isDoubted(standing);
}

function isDoubted({ oldestMs, sinceTimeoutMs }: Standing): boolean {
  return sinceTimeoutMs < REMEMBERED_MS || oldestMs > SLOW_MS;
}

/** Whether a delivery that has waited for a place, and has so many of its endpoint before it, may expect one soon. */
export function isInSight(standing: Standing, { ahead, waitedMs }: { ahead: number; waitedMs: number }): boolean {
  if (waitedMs < SHORT_MS) return true;
  if (waitedMs > PATIENCE_MS) return false;
  // All places are other endpoints'.
  if (standing.taken === 0) return isProven(standing);
  return standing.oldestMs < SHORT_MS || ahead + 1 <= standing.endedPerMs * LONGEST_WAIT_MS;
}

/**
 * Whether nobody else of this endpoint shall stand in line, where it has so many there: nothing of it has ended yet. At first it may have
 * as many as there is room in line for others, so that many such endpoints never fill it.
 */
export function isLineEnough(
  standing: Standing,
  { ahead, roomInLine }: { ahead: number; roomInLine: number },
): boolean {
  if (isProven(standing)) return false;
  if (standing.taken === 0) return ahead >= 2;
  return ahead >= (standing.oldestMs > SHORT_MS / 2 ? Math.min(MOST_UNPROVEN, roomInLine) : roomInLine);
}

/** Of so many in line, how many are given a place so soon that the next jobs can wait for that. */
export function servedSoon(standing: Standing, waiting: number): number {
  return Math.min(waiting, Math.ceil(standing.endedPerMs * SOON_MS));
}

/** How many deliveries may wait for a place that comes soon. */
export function longestLine(total: number): number {
  return Math.ceil(total / IN_LINE);
}

/** A rate that forgets: of `perMs` as it was `sinceMs` ago, what is left of it now. */
export function decayed(perMs: number, sinceMs: number): number {
  return perMs * Math.exp(-sinceMs / RATE_MEMORY_MS);
}

/** What one more event adds to such a rate. */
export const ONE_MORE = 1 / RATE_MEMORY_MS;
