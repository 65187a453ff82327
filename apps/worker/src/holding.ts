import type { HeldEndpoint, HoldAnswer, HoldRequest, Released } from '@driftwire/database';
import type { DeliveryJob, DeliveryWakeUp, JobEnding, RequestOver } from '@driftwire/queue';

export type HoldingDeps = {
  hold: (delivery: HoldRequest) => Promise<HoldAnswer>;
  /** Of each endpoint so many. */
  release: (wanted: ReadonlyMap<string, number>) => Promise<Released[]>;
  /** Answers those of these endpoints that have none held any more. */
  endCrowding: (endpointIds: readonly string[]) => Promise<string[]>;
  heldEndpoints: () => Promise<HeldEndpoint[]>;
  endHeld: (endpointId: string, limit: number) => Promise<number>;
  /** Returns at once; what it loses, the sweeper finds. */
  enqueue: (wakeUps: readonly DeliveryWakeUp[]) => void;
  observe: HoldingObserver;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  /** Calls back after so long. */
  later: (callback: () => void, ms: number) => void;
  random: () => number;
  pause: (ms: number) => Promise<unknown>;
};

/** What an operator is told; each is a metric, and some a log line. */
export type HoldingObserver = {
  held: (delivery: HoldRequest & DeliveryJob) => void;
  /** It is put off for a moment. */
  notHeld: (delivery: DeliveryJob, error: unknown) => void;
  released: (count: number) => void;
  /** An endpoint takes no deliveries any more, and these were held for it. */
  ended: (endpointId: string, count: number) => void;
  /** The next look releases what this one did not. */
  failed: (error: unknown) => void;
};

export type Holding = {
  /** Whether deliveries of this endpoint are held, as far as this worker knows. */
  isCrowded: (endpointId: string) => boolean;
  /** For a delivery that found no place or has others before it (`crowded`), or whose claim says that its endpoint is on hold. */
  hold: (delivery: DeliveryJob, reason?: HoldRequest['reason']) => Promise<JobEnding>;
  /** The clock by which what is held is let go: one for each request that was answered, two when it succeeded and there is room for more. */
  onRequestOver: (endpointId: string, over: RequestOver & { hasRoom: boolean }) => void;
  /** To be called every few seconds: finds what is held whoever held it, and starts a clock that has lost its last tick. */
  look: () => Promise<void>;
  /** Lets nothing go any more: the other workers do. */
  close: () => void;
};

/** They have waited; whoever is not crowded goes first. */
const RANK = 1;
/** So long releases gather, to share a statement. */
const GATHERING_MS = 10;
/** An endpoint for which nothing was found no place for so long may have room for more. */
const CALM_MS = 1_000;
/** Of an endpoint of which nothing is under way; the first answer releases the next. */
const AT_A_STANDSTILL = 2;
const ENDED_AT_ONCE = 1_000;
const HOLD_FAILED_MS = 1_000;
const SPREAD_MS = 4_000;

/**
 * Deliveries of crowded endpoints wait in Postgres, and come back one by one as requests of their endpoints end, so that as many are under
 * way as found a place, with no count that anybody keeps (docs/adr/0012-held-in-postgres.md).
 */
export function createHolding(deps: HoldingDeps): Holding {
  /** Endpoints that are known to have deliveries held, with the time at which one was last held here. */
  const crowded = new Map<string, number>();
  let wanted = new Map<string, number>();
  let isGathering = false;
  let isClosed = false;
  let oldest = new Map<string, string>();

  function want(endpointId: string, count: number): void {
    wanted.set(endpointId, (wanted.get(endpointId) ?? 0) + count);
    if (isGathering || isClosed) return;
    isGathering = true;
    deps.later(() => {
      isGathering = false;
      if (!isClosed) void releaseWanted().catch(deps.observe.failed);
    }, GATHERING_MS);
  }

  async function releaseWanted(): Promise<void> {
    const asked = wanted;
    wanted = new Map();
    const released = await deps.release(asked);
    deps.enqueue(released.map((delivery) => ({ ...delivery, isReleased: true, rank: RANK })));
    if (released.length > 0) deps.observe.released(released.length);
    const got = countBy(released, ({ endpointId }) => endpointId);
    await forget([...asked].flatMap(([id, count]) => ((got.get(id) ?? 0) < count ? [id] : [])));
  }

  async function forget(endpointIds: readonly string[]): Promise<void> {
    if (endpointIds.length === 0) return;
    for (const id of await deps.endCrowding(endpointIds)) crowded.delete(id);
  }

  async function endHeld(endpointId: string): Promise<void> {
    let ended: number;
    do {
      ended = await deps.endHeld(endpointId, ENDED_AT_ONCE);
      if (ended > 0) deps.observe.ended(endpointId, ended);
    } while (ended === ENDED_AT_ONCE);
    await forget([endpointId]);
  }

  return {
    isCrowded: (endpointId) => crowded.has(endpointId),
    async hold(delivery, reason = 'crowded') {
      const answer = await deps.hold({ ...delivery, reason }).catch((error: unknown) => {
        deps.observe.notHeld(delivery, error);
      });
      if (answer === undefined) {
        // As for a claim: a long queue is not run through for as long as Postgres is away.
        await deps.pause(HOLD_FAILED_MS);
        return { kind: 'snooze', delayMs: HOLD_FAILED_MS + deps.random() * SPREAD_MS };
      }
      if (answer.verdict === 'wait') return { kind: 'snooze', delayMs: answer.waitMs };
      if (answer.verdict === 'held') {
        if (reason === 'crowded' && delivery.endpointId !== undefined) crowded.set(delivery.endpointId, deps.now());
        deps.observe.held({ ...delivery, reason });
      }
      return { kind: 'done' };
    },
    onRequestOver(endpointId, { isSuccess, isTimeout, hasRoom }) {
      const heldAt = crowded.get(endpointId);
      if (heldAt === undefined || isTimeout) return;
      want(endpointId, isSuccess && hasRoom && deps.now() - heldAt > CALM_MS ? 2 : 1);
    },
    async look() {
      const held = await deps.heldEndpoints();
      const known = new Set(held.map(({ endpointId }) => endpointId));
      const gone = [...crowded.keys()].filter((id) => !known.has(id));
      for (const { endpointId, oldestId, isActive, isOnHold } of held) {
        if (!isActive) await endHeld(endpointId);
        if (!isActive || isOnHold) continue;
        if (!crowded.has(endpointId)) crowded.set(endpointId, Number.NEGATIVE_INFINITY);
        if (oldest.get(endpointId) === oldestId) want(endpointId, AT_A_STANDSTILL);
      }
      oldest = new Map(held.map(({ endpointId, oldestId }) => [endpointId, oldestId]));
      await forget(gone);
    },
    close() {
      isClosed = true;
    },
  };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
