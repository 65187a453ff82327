import type { EndedHeld, Granted, HeldEndpoint, HoldAnswer, HoldRequest, Released } from '@driftwire/database';
import type { DeliveryJob, DeliveryWakeUp, JobEnding, RequestOver } from '@driftwire/queue';

export type HoldingDeps = {
  hold: (delivery: HoldRequest) => Promise<HoldAnswer>;
  /** Of each endpoint so many. */
  release: (wanted: ReadonlyMap<string, number>) => Promise<Released[]>;
  /** The same for endpoints that have limits; runs what it lets go. */
  grant: (wanted: ReadonlyMap<string, number>) => Promise<Granted[]>;
  /** So many requests this worker could begin now, of endpoints of which nothing good is known. */
  sparePlaces: () => number;
  /** Whether this endpoint would be given another place now. */
  hasRoomFor: (endpointId: string) => boolean;
  /** Whether the last attempts of an endpoint have failed. */
  isFailing: (endpointId: string) => boolean;
  /** Whether a request that timed out lets another one go. Where circuits open after a few timeouts, none does. */
  timeoutsRelease: boolean;
  /** Asks endpoints whose circuit is open whether they answer again. */
  probe: (endpointIds: readonly string[]) => Promise<void>;
  /** Answers those of these endpoints that have none held any more. */
  endCrowding: (endpointIds: readonly string[]) => Promise<string[]>;
  heldEndpoints: () => Promise<HeldEndpoint[]>;
  endHeld: (endpointId: string, limit: number) => Promise<EndedHeld[]>;
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
  /** The endpoints for which something is held now. */
  looked: (endpoints: readonly HeldEndpoint[]) => void;
  held: (delivery: HoldRequest & DeliveryJob) => void;
  /** It is put off for a moment. */
  notHeld: (delivery: DeliveryJob, error: unknown) => void;
  released: (count: number) => void;
  /** An endpoint takes no deliveries any more, and these were held for it; or they have been held for too long. */
  ended: (endpointId: string, ended: EndedHeld) => void;
  /** The next look releases what this one did not. */
  failed: (error: unknown) => void;
};

export type Holding = {
  /** Whether deliveries of this endpoint are held, as far as this worker knows. */
  isCrowded: (endpointId: string) => boolean;
  /** For a delivery that found no place or has others before it, or whose claim says why it must not be sent. */
  hold: (delivery: DeliveryJob, reason?: HoldRequest['reason']) => Promise<JobEnding>;
  /**
   * The clock by which what is held is let go: one for each request that was answered, two when it succeeded and there is room for more,
   * none while the endpoint fails.
   */
  onRequestOver: (endpointId: string, over: RequestOver) => void;
  /** Deliveries of this endpoint are held, and this many may go now. */
  letGo: (endpointId: string, count: number) => void;
  /** A delivery that was granted is over: another one may be. */
  onGrantOver: (endpointId: string) => void;
  /** Somebody else has held deliveries of this endpoint. */
  noteCrowded: (endpointId: string) => void;
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
/** A rate is handed out for so long ahead; a look comes before it is over. */
const PACED_FOR_S = 2.5;
const HOLD_FAILED_MS = 1_000;
const SPREAD_MS = 4_000;

/**
 * Deliveries of crowded endpoints wait in Postgres, and come back one by one as requests of their endpoints end, so that as many are under
 * way as found a place, with no count that anybody keeps (docs/adr/0012-held-in-postgres.md).
 */
export function createHolding(deps: HoldingDeps): Holding {
  /** Endpoints that are known to have deliveries held, with the time at which one was last held here. */
  const crowded = new Map<string, number>();
  const limited = new Set<string>();
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
    const asked = [...wanted];
    wanted = new Map();
    const [granted, released] = await Promise.all([
      grant(asked.filter(([id]) => limited.has(id))),
      release(asked.filter(([id]) => !limited.has(id))),
    ]);
    const got = countBy([...granted, ...released], ({ endpointId }) => endpointId);
    if (got.size > 0) deps.observe.released(granted.length + released.length);
    await forget(asked.flatMap(([id, count]) => ((got.get(id) ?? 0) < count ? [id] : [])));
  }

  async function grant(asked: readonly [string, number][]): Promise<Granted[]> {
    return asked.length === 0 ? [] : deps.grant(new Map(asked));
  }

  async function release(asked: readonly [string, number][]): Promise<Released[]> {
    if (asked.length === 0) return [];
    const released = await deps.release(new Map(asked));
    deps.enqueue(released.map((delivery) => ({ ...delivery, isReleased: true, rank: RANK })));
    return released;
  }

  async function forget(endpointIds: readonly string[]): Promise<void> {
    if (endpointIds.length === 0) return;
    for (const id of await deps.endCrowding(endpointIds)) crowded.delete(id);
  }

  async function endHeld(endpointId: string): Promise<void> {
    let count: number;
    do {
      const ended = await deps.endHeld(endpointId, ENDED_AT_ONCE);
      for (const one of ended) deps.observe.ended(endpointId, one);
      count = ended.reduce((sum, one) => sum + one.count, 0);
    } while (count === ENDED_AT_ONCE);
    await forget([endpointId]);
  }

  function noteHeld(endpointId: string, reason: HoldRequest['reason']): void {
    if (reason === 'crowded' || reason === 'rate_limited') crowded.set(endpointId, deps.now());
    if (reason !== 'rate_limited') return;
    limited.add(endpointId);
    want(endpointId, 1);
  }

  function noteCrowded(endpointId: string): void {
    if (!crowded.has(endpointId)) crowded.set(endpointId, Number.NEGATIVE_INFINITY);
  }

  /**
   * What a look lets go: where a rate says how many, so many; else a few, where the clock stands still or was never heard, and no more than
   * there is room for: what finds none would only be held again. Answers how many of the places to spare that takes.
   */
  function letGoAtALook({ endpointId, oldestId, isLimited, maxPerSecond }: HeldEndpoint, spare: number): number {
    const isNew = !crowded.has(endpointId);
    noteCrowded(endpointId);
    if (!isLimited) limited.delete(endpointId);
    else limited.add(endpointId);
    const isAtAStandstill = isNew || oldest.get(endpointId) === oldestId;
    if (maxPerSecond !== null && !deps.isFailing(endpointId)) {
      want(endpointId, Math.ceil(maxPerSecond * PACED_FOR_S));
      return 0;
    }
    const count = isAtAStandstill ? Math.min(AT_A_STANDSTILL, spare) : 0;
    if (count > 0) want(endpointId, count);
    return count;
  }

  /** Probes come first: there are few, and nothing else is sent to their endpoints. */
  async function serve(endpoints: readonly HeldEndpoint[]): Promise<void> {
    const inTurn = rotated(endpoints, deps.random());
    const toProbe = inTurn.filter(({ probeIsDue }) => probeIsDue).slice(0, deps.sparePlaces());
    let spare = deps.sparePlaces() - toProbe.length;
    for (const one of inTurn.filter(({ circuitIsOpen }) => !circuitIsOpen)) spare -= letGoAtALook(one, spare);
    if (toProbe.length > 0) await deps.probe(toProbe.map(({ endpointId }) => endpointId));
  }

  return {
    isCrowded: (endpointId) => crowded.has(endpointId),
    async hold(delivery, reason = limited.has(delivery.endpointId ?? '') ? 'rate_limited' : 'crowded') {
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
        if (delivery.endpointId !== undefined) noteHeld(delivery.endpointId, reason);
        deps.observe.held({ ...delivery, reason });
      }
      return { kind: 'done' };
    },
    onRequestOver(endpointId, { isSuccess, isTimeout }) {
      const heldAt = crowded.get(endpointId);
      if (heldAt === undefined || limited.has(endpointId) || deps.isFailing(endpointId)) return;
      if (isTimeout && !deps.timeoutsRelease) return;
      const mayGrow = isSuccess && deps.now() - heldAt > CALM_MS && deps.hasRoomFor(endpointId);
      want(endpointId, mayGrow ? 2 : 1);
    },
    onGrantOver(endpointId) {
      if (limited.has(endpointId) && crowded.has(endpointId) && !deps.isFailing(endpointId)) want(endpointId, 1);
    },
    letGo(endpointId, count) {
      noteCrowded(endpointId);
      want(endpointId, count);
    },
    noteCrowded,
    async look() {
      const held = await deps.heldEndpoints();
      deps.observe.looked(held);
      const known = new Set(held.map(({ endpointId }) => endpointId));
      const gone = [...crowded.keys()].filter((id) => !known.has(id));
      for (const { endpointId } of held.filter(({ isActive, isStale }) => !isActive || isStale))
        await endHeld(endpointId);
      await serve(held.filter(({ isActive, isOnHold }) => isActive && !isOnHold));
      oldest = new Map(held.map(({ endpointId, oldestId }) => [endpointId, oldestId]));
      await forget(gone);
    },
    close() {
      isClosed = true;
    },
  };
}

/** Another one is the first each time, or the last of many would never come. `chance`: 0..1. */
function rotated<T>(items: readonly T[], chance: number): T[] {
  const first = Math.floor(chance * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
