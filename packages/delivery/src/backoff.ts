const HOUR_MS = 3_600_000;
const JITTER_SHARE = 0.2;

/**
 * The wait after the given number of failed attempts (the one just failed included, so at least 1), in whole
 * milliseconds: base, 2 × base, 4 × base …, plus up to 20 % jitter (`jitter` is chance, 0..1), at most `longestDelayMs`.
 */
export function retryDelayMs(failedAttempts: number, policy: { baseDelayMs: number }, jitter: number): number {
  const delayMs = policy.baseDelayMs * 2 ** (failedAttempts - 1) * (1 + JITTER_SHARE * jitter);
  return Math.min(Math.round(delayMs), longestDelayMs(policy));
}

/** No delivery waits longer than an hour between attempts, unless its base delay alone is longer. */
export function longestDelayMs(policy: { baseDelayMs: number }): number {
  return Math.max(HOUR_MS, policy.baseDelayMs);
}
