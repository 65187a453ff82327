import type { Failure } from './failure.js';

/**
 * Why no request was made, where the reason is ours and says nothing about the receiver: that was no attempt. `late`: the
 * process was stopped, or its loop blocked, until the time was over. `no_lookup`: its name was not asked for, see `sharedLookup`.
 */
export type Withheld = 'late' | 'no_lookup';

export type Unanswered = {
  failure: Failure;
  isUnasked: boolean;
  /** False as long as there was no connection on which a byte of the request could have left. */
  mayHaveLeft: boolean;
  withinMs: number;
  elapsedMs: number;
  /** For how much of that this process stood still. */
  stoodStillMs: number;
};

/**
 * A connection, or the answer of a name server, that was waited for during half of the time or longer has had its chance:
 * that attempt failed. With less, and a standstill, the end of the time says nothing; nor does a receiver that hung up
 * on a handshake with which nobody went on. A refusal is one whenever it is read.
 */
export function withheldBecause(unanswered: Unanswered): Withheld | null {
  const { failure, isUnasked, mayHaveLeft, withinMs, elapsedMs, stoodStillMs } = unanswered;
  if (mayHaveLeft) return null;
  if (isUnasked) return 'no_lookup';
  if (stoodStillMs === 0 || elapsedMs - stoodStillMs >= withinMs / 2) return null;
  return failure.kind === 'timeout' || failure.kind === 'reset' ? 'late' : null;
}
