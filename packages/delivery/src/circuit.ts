import type { Outcome } from './outcome.js';

/** What an attempt says about its endpoint. `neither`: it has an end of its own, or asks for patience. */
export type Evidence = 'success' | 'timeout' | 'failure' | 'neither';

/** Failed attempts of an endpoint in a row. */
export type FailureStreak = {
  failures: number;
  /** When the first of them began, by a monotonic clock in milliseconds. */
  sinceMs: number;
  /** Of which they were; four are enough to know. */
  deliveryIds: readonly string[];
  /** The same for those since which nothing but timeouts came. */
  timedOutIds: readonly string[];
};

export type CircuitPolicy = { afterFailures: number; afterMs: number };

/** A delivery may be the fault, and not its receiver. */
const DELIVERIES = 4;
/** RFC 9110: 408 and 425 ask for another try, 409 is about this delivery, 410 ends the endpoint; RFC 6585: 429 asks for less. */
const NO_EVIDENCE: readonly number[] = [408, 409, 410, 425, 429];

export function evidenceOf(outcome: Outcome): Evidence {
  if (outcome.kind === 'timeout') return 'timeout';
  if (outcome.kind === 'blocked' || outcome.kind === 'unknown') return 'neither';
  if (outcome.kind !== 'response') return 'failure';
  if (outcome.status >= 200 && outcome.status <= 299) return 'success';
  return NO_EVIDENCE.includes(outcome.status) ? 'neither' : 'failure';
}

/** The streak with another failed attempt. */
export function failedAgain(
  streak: FailureStreak | undefined,
  { deliveryId, isTimeout, begunMs }: { deliveryId: string; isTimeout: boolean; begunMs: number },
): FailureStreak {
  const { failures, sinceMs, deliveryIds, timedOutIds } = streak ?? {
    failures: 0,
    sinceMs: begunMs,
    deliveryIds: [],
    timedOutIds: [],
  };
  return {
    failures: failures + 1,
    sinceMs,
    deliveryIds: withOneMore(deliveryIds, deliveryId),
    timedOutIds: isTimeout ? withOneMore(timedOutIds, deliveryId) : [],
  };
}

function withOneMore(ids: readonly string[], id: string): readonly string[] {
  return ids.length >= DELIVERIES || ids.includes(id) ? ids : [...ids, id];
}

/** Whether an endpoint that fails like this is sent nothing more but probes. Timeouts are believed sooner: each takes a place for long. */
export function opensCircuit(streak: FailureStreak, nowMs: number, policy: CircuitPolicy): boolean {
  if (streak.timedOutIds.length >= DELIVERIES) return true;
  return (
    streak.failures >= policy.afterFailures &&
    nowMs - streak.sinceMs >= policy.afterMs &&
    streak.deliveryIds.length >= DELIVERIES
  );
}

/** Whether nothing more is let go for an endpoint because of what came back: it would only add to it. */
export function isFailing(streak: FailureStreak | undefined): boolean {
  return streak !== undefined && streak.failures >= DELIVERIES;
}
