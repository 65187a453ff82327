import type { Claim, FailingEndpoint, Granted, Probe } from '@driftwire/database';
import {
  type CircuitPolicy,
  evidenceOf,
  type FailureStreak,
  failedAgain,
  isFailing,
  type Outcome,
  opensCircuit,
} from '@driftwire/delivery';
import { oneAtATime } from '@driftwire/runtime';

export type CircuitsDeps = {
  /** False when somebody else has opened it, the endpoint has changed, or it answers others. */
  open: (endpoint: FailingEndpoint) => Promise<boolean>;
  /** False when it is not open any more, or another probe is out. */
  close: (probe: Probe) => Promise<boolean>;
  putOff: (probe: Probe, how: { isFailure: boolean; notBeforeMs: number }) => Promise<boolean>;
  takeProbes: (endpointIds: readonly string[]) => Promise<Granted[]>;
  /** Returns at once. */
  run: (probe: Granted) => void;
  observe: CircuitsObserver;
  policy: CircuitPolicy;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/** What an operator is told; each is one log line and a metric. */
export type CircuitsObserver = {
  opened: (endpoint: FailingEndpoint & { customerId: string }) => void;
  probed: (probe: Granted) => void;
  closed: (claim: Claim) => void;
  /** The next attempt, or the next look, tries again. */
  failed: (endpointId: string, error: unknown) => void;
};

export type Circuits = {
  /**
   * To be told of every attempt that is on record. Opens an endpoint's circuit when its attempts keep failing, and closes it when a probe
   * has succeeded: then it answers true, and what is held may follow. Undefined when there is nothing to decide.
   */
  attempted: (claim: Claim, attempt: Attempted) => Promise<boolean> | undefined;
  /** Whether the last attempts of this endpoint have failed here. */
  isFailing: (endpointId: string) => boolean;
  /** Sends one probe to each of these endpoints whose circuit is open. */
  probe: (endpointIds: readonly string[]) => Promise<void>;
};

/** What came back, and after how long. */
export type Attempted = { outcome: Outcome; durationMs: number };

/** `askedAtMs`: when Postgres was asked to open its circuit. */
type Watched = { version: number; streak?: FailureStreak; askedAtMs?: number };

const MOST_REMEMBERED = 10_000;
const LONGEST_MS = 3_600_000;

/**
 * Decides by what this worker has seen whether an endpoint is still sent to; Postgres has the last word, and says it to all workers
 * (docs/adr/0013-circuits.md).
 */
export function createCircuits(deps: CircuitsDeps): Circuits {
  const failing = new Map<string, Watched>();
  // A hundred requests that hang end together: their statements must leave connections for others' claims.
  const inOrder = oneAtATime();

  /** Undefined when it had begun before Postgres was asked: then it says nothing that was not known. */
  function fail({ deliveryId, endpoint }: Claim, durationMs: number, isTimeout: boolean): FailureStreak | undefined {
    const known = failing.get(endpoint.id);
    const before = known?.version === endpoint.version ? known : undefined;
    const begunMs = deps.now() - durationMs;
    if (begunMs < (before?.askedAtMs ?? Number.NEGATIVE_INFINITY)) return undefined;
    const streak = failedAgain(before?.streak, { deliveryId, isTimeout, begunMs });
    remember(endpoint, { ...before, streak });
    return streak;
  }

  function remember({ id, version }: Claim['endpoint'], watched: Omit<Watched, 'version'>): void {
    if (failing.size >= MOST_REMEMBERED) failing.clear();
    failing.set(id, { version, ...watched });
  }

  async function open({ customerId, endpoint }: Claim, streak: FailureStreak, outcome: Outcome): Promise<void> {
    const { id: endpointId, version } = endpoint;
    // What begins from now on begins a streak of its own.
    remember(endpoint, { askedAtMs: deps.now() });
    const { failures, sinceMs } = streak;
    const asked = { endpointId, version, failures, forMs: deps.now() - sinceMs, notBeforeMs: askedForMs(outcome) };
    const isOpened = await inOrder(() => deps.open(asked)).catch((error: unknown) => {
      failing.delete(endpointId);
      throw error;
    });
    if (isOpened) deps.observe.opened({ ...asked, customerId });
  }

  async function judgeProbe(claim: Claim, outcome: Outcome): Promise<boolean> {
    const { deliveryId } = claim;
    const probe = { endpointId: claim.endpoint.id, deliveryId };
    const evidence = evidenceOf(outcome);
    if (evidence !== 'success') {
      const how = { isFailure: evidence !== 'neither', notBeforeMs: askedForMs(outcome) };
      await inOrder(() => deps.putOff(probe, how));
      return false;
    }
    const isClosed = await inOrder(() => deps.close(probe));
    if (isClosed) deps.observe.closed(claim);
    return isClosed;
  }

  function attempted(claim: Claim, { outcome, durationMs }: Attempted): Promise<boolean> | undefined {
    if (claim.isProbe) return judgeProbe(claim, outcome);
    const evidence = evidenceOf(outcome);
    if (evidence === 'success') failing.delete(claim.endpoint.id);
    if (evidence === 'success' || evidence === 'neither') return undefined;
    const streak = fail(claim, durationMs, evidence === 'timeout');
    if (streak === undefined || !opensCircuit(streak, deps.now(), deps.policy)) return undefined;
    return open(claim, streak, outcome).then(() => false);
  }

  return {
    attempted: (claim, attempt) =>
      attempted(claim, attempt)?.catch((error: unknown) => {
        deps.observe.failed(claim.endpoint.id, error);
        return false;
      }),
    isFailing: (endpointId) => isFailing(failing.get(endpointId)?.streak),
    async probe(endpointIds) {
      for (const probe of await deps.takeProbes(endpointIds)) {
        deps.observe.probed(probe);
        deps.run(probe);
      }
    },
  };
}

/** `Retry-After`, an hour at most: nobody is asked for longer. */
function askedForMs(outcome: Outcome): number {
  return outcome.kind === 'response' ? Math.min(outcome.retryAfterMs ?? 0, LONGEST_MS) : 0;
}

/** For CIRCUIT_BREAKER=false. Those that are open are closed by whoever looks. */
export function noCircuits(closeAll: () => Promise<unknown>): Circuits {
  return { attempted: () => undefined, isFailing: () => false, probe: async () => void (await closeAll()) };
}
