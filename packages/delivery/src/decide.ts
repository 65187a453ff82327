import { longestDelayMs, retryDelayMs } from './backoff.js';
import { isSuccess, type Outcome } from './outcome.js';

/** `failedCount`: failed attempts of this round before this one. `jitter`: chance as a parameter, 0..1. */
export type AttemptFacts = { failedCount: number; jitter: number };
export type RetryPolicy = { maxAttempts: number; baseDelayMs: number };

export type Transition =
  | { to: 'success' }
  | { to: 'retrying'; delayMs: number }
  | { to: 'failed'; reason: 'exhausted' | 'gone' | 'blocked'; deactivateEndpoint: boolean };

/** Every reason a delivery can end without success; the ones `decide` does not give come from claims and manual acts. */
export type FailureReason =
  | 'exhausted'
  | 'gone'
  | 'blocked'
  | 'indeterminate'
  | 'expired'
  | 'endpoint_inactive'
  | 'endpoint_deleted';

/** What the outcome means for the delivery. Total and pure: the same facts always give the same transition. */
export function decide(outcome: Outcome, attempt: AttemptFacts, policy: RetryPolicy): Transition {
  if (isSuccess(outcome)) return success();
  if (isGone(outcome)) return gone();
  if (outcome.kind === 'blocked') return blocked();
  if (attempt.failedCount + 1 >= policy.maxAttempts) return exhausted();
  return retrying(delayBeforeNextMs(outcome, attempt, policy));
}

/** `Retry-After` stretches the delay and never shortens it; no receiver can park a delivery beyond the longest delay. */
function delayBeforeNextMs(outcome: Outcome, attempt: AttemptFacts, policy: RetryPolicy): number {
  const ownDelayMs = retryDelayMs(attempt.failedCount + 1, policy, attempt.jitter);
  return Math.min(Math.max(ownDelayMs, requestedDelayMs(outcome)), longestDelayMs(policy));
}

function requestedDelayMs(outcome: Outcome): number {
  if (outcome.kind !== 'response') return 0;
  return outcome.status === 429 || outcome.status === 503 ? (outcome.retryAfterMs ?? 0) : 0;
}

function isGone(outcome: Outcome): boolean {
  return outcome.kind === 'response' && outcome.status === 410;
}

function success(): Transition {
  return { to: 'success' };
}

function retrying(delayMs: number): Transition {
  return { to: 'retrying', delayMs };
}

function exhausted(): Transition {
  return { to: 'failed', reason: 'exhausted', deactivateEndpoint: false };
}

function gone(): Transition {
  return { to: 'failed', reason: 'gone', deactivateEndpoint: true };
}

function blocked(): Transition {
  return { to: 'failed', reason: 'blocked', deactivateEndpoint: false };
}
