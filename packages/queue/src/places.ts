import {
  decayed,
  isInSight,
  isLineEnough,
  longestLine,
  mayTake,
  ONE_MORE,
  type Standing,
  servedSoon,
  spare,
} from './fair-share.js';
import { createWaitingLine } from './waiting-line.js';

/**
 * Room for a number of requests at once, shared out among endpoints (fair-share.ts). A delivery gives its place back when its answer is
 * there, not when that is on record, so that what waits to be recorded keeps nobody waiting and shares statements; but no more of
 * them than there are places. Whoever finds no room waits in line, for as long as a place of its endpoint is in sight.
 */
export type Places = {
  /** Answers when there is a place. `crowded`: none is in sight. Null: no more are given, because everything is about to end. */
  take: (endpointId: string) => Promise<Place | 'crowded' | null>;
  /** Deliveries that would find a place now, if they were of endpoints that have none. */
  room: () => number;
  /** Whether this endpoint would be given another place now. */
  hasRoomFor: (endpointId: string) => boolean;
  /** Places that are free, and not kept for endpoints that are proven. */
  spare: () => number;
  /** How many are given now. */
  taken: () => number;
  /** Deliveries that have taken a place and not come to their end. */
  unfinished: () => number;
  /** Answers when there may be more room, or when no more places are given. */
  change: () => Promise<void>;
  close: () => void;
};

/** Each is said once or not at all, in this order. */
export type Place = {
  /** The request goes out: only from now on does its endpoint keep anybody waiting. Its customer's endpoints share what it gets. */
  begin: (customerId: string) => void;
  /** The request is over; what it came to is not on record yet. */
  vacate: (how: { isTimeout: boolean }) => void;
  /** The delivery has come to its end here. Includes `vacate`. */
  leave: () => void;
};

type Waiting = { endpointId: string; sinceMs: number; answer: (place: Place | 'crowded' | null) => void };
type Customer = { taken: number };
type Endpoint = {
  taken: number;
  /** An own one, until a request has said whose it is. */
  customer: Customer;
  begunAtMs: Set<{ ms: number }>;
  endedPerMs: number;
  endedAtMs: number;
  timedOutAtMs: number;
};

export function mostUnfinished(places: number): number {
  return 2 * places;
}

/** How often those in line are looked at. */
const LOOK_MS = 25;
const MOST_REMEMBERED = 10_000;

export function createPlaces(total: number, now: () => number = () => performance.now()): Places {
  const endpoints = new Map<string, Endpoint>();
  const customers = new Map<string, Customer>();
  const most = mostUnfinished(total);
  const line = createWaitingLine<Waiting>();
  let onChange: (() => void)[] = [];
  let taken = 0;
  let unfinished = 0;
  let isClosed = false;
  let looking: NodeJS.Timeout | undefined;

  const free = () => Math.min(total - taken, most - unfinished);

  function standingOf(endpointId: string): Standing {
    const endpoint = endpoints.get(endpointId);
    if (endpoint === undefined) return UNKNOWN;
    const [oldest] = endpoint.begunAtMs;
    const atMs = now();
    const sinceEndedMs = atMs - endpoint.endedAtMs;
    return {
      taken: endpoint.taken,
      takenByCustomer: endpoint.customer.taken,
      endedPerMs: decayed(endpoint.endedPerMs, sinceEndedMs),
      oldestMs: oldest === undefined ? 0 : atMs - oldest.ms,
      sinceEndedMs,
      sinceTimeoutMs: atMs - endpoint.timedOutAtMs,
    };
  }

  function hasRoomFor(endpointId: string): boolean {
    return mayTake(standingOf(endpointId), { free: free(), total });
  }

  function giveTo(endpoint: Endpoint, customerId: string): void {
    const customer = customers.get(customerId) ?? { taken: 0 };
    if (endpoint.customer === customer) return;
    customers.set(customerId, customer);
    endpoint.customer.taken -= endpoint.taken;
    customer.taken += endpoint.taken;
    endpoint.customer = customer;
  }

  function occupy(endpointId: string): Place {
    const endpoint = endpoints.get(endpointId) ?? { ...NEW, begunAtMs: new Set(), customer: { taken: 0 } };
    endpoints.set(endpointId, endpoint);
    const begun = { ms: 0 };
    let isTaken = true;
    endpoint.taken += 1;
    endpoint.customer.taken += 1;
    taken += 1;
    unfinished += 1;
    const giveBack = () => {
      if (!isTaken) return;
      isTaken = false;
      endpoint.begunAtMs.delete(begun);
      endpoint.taken -= 1;
      endpoint.customer.taken -= 1;
      taken -= 1;
    };
    return {
      begin(customerId) {
        if (isTaken) giveTo(endpoint, customerId);
        begun.ms = now();
        endpoint.begunAtMs.add(begun);
      },
      vacate({ isTimeout }) {
        const atMs = now();
        endpoint.endedPerMs = decayed(endpoint.endedPerMs, atMs - endpoint.endedAtMs) + ONE_MORE;
        endpoint.endedAtMs = atMs;
        if (isTimeout) endpoint.timedOutAtMs = atMs;
        giveBack();
        admit();
      },
      leave() {
        unfinished -= 1;
        giveBack();
        admit();
        forgetIdle(endpoints);
        forgetIdle(customers);
      },
    };
  }

  /** In the order in which they came, each that may. */
  function admit(): void {
    let next = line.takeFirst(hasRoomFor);
    while (next !== undefined) {
      next.answer(occupy(next.endpointId));
      next = line.takeFirst(hasRoomFor);
    }
    tell();
  }

  /** In line: of this endpoint; where it has no place yet, of its customer, because that is what it waits for. */
  function aheadOf(endpointId: string): number {
    const endpoint = endpoints.get(endpointId);
    if (endpoint === undefined || endpoint.taken > 0) return line.countOf(endpointId);
    return line
      .counts()
      .filter(([id]) => endpoints.get(id)?.customer === endpoint.customer)
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** Who waits for a slow receiver keeps nobody from being looked at. */
  function isLineLong(): boolean {
    if (line.length() >= total) return true;
    if (line.length() < longestLine(total)) return false;
    const soon = line.counts().reduce((sum, [id, count]) => sum + servedSoon(standingOf(id), count), 0);
    return soon >= longestLine(total);
  }

  function lookLater(): void {
    const dueAtMs = now() + LOOK_MS;
    // Not when this thread stood still meanwhile: then it has yet to hear of requests that have ended.
    looking ??= setTimeout(() => (now() > dueAtMs + LOOK_MS ? lookAgain() : look()), LOOK_MS);
  }

  function lookAgain(): void {
    looking = undefined;
    lookLater();
  }

  /** Those that wait in vain are told so. */
  function look(): void {
    const stays = ({ endpointId, sinceMs }: Waiting, ahead: number) =>
      isInSight(standingOf(endpointId), { ahead, waitedMs: now() - sinceMs });
    for (const { answer } of line.takeUnless(stays)) answer('crowded');
    looking = undefined;
    if (line.length() > 0) lookLater();
    admit();
  }

  function tell(): void {
    const told = onChange;
    onChange = [];
    for (const tellOne of told) tellOne();
  }

  return {
    async take(endpointId) {
      if (isClosed) return null;
      if (hasRoomFor(endpointId)) return occupy(endpointId);
      const standsIn = { ahead: aheadOf(endpointId), roomInLine: total - line.length() };
      if (isLineEnough(standingOf(endpointId), standsIn)) return 'crowded';
      lookLater();
      return new Promise((answer) => line.push(endpointId, { endpointId, sinceMs: now(), answer }));
    },
    room: () => (isLineLong() ? 0 : free()),
    hasRoomFor,
    spare: () => spare({ free: free(), total }),
    taken: () => taken,
    unfinished: () => unfinished,
    change: () => (isClosed ? Promise.resolve() : new Promise((resolve) => onChange.push(resolve))),
    close() {
      isClosed = true;
      clearTimeout(looking);
      for (const { answer } of line.takeUnless(() => false)) answer(null);
      tell();
    },
  };
}

const NEVER = Number.NEGATIVE_INFINITY;
const NEW = { taken: 0, endedPerMs: 0, endedAtMs: NEVER, timedOutAtMs: NEVER };
const UNKNOWN: Standing = {
  taken: 0,
  takenByCustomer: 0,
  endedPerMs: 0,
  oldestMs: 0,
  sinceEndedMs: Number.POSITIVE_INFINITY,
  sinceTimeoutMs: Number.POSITIVE_INFINITY,
};

function forgetIdle(all: Map<string, { taken: number }>): void {
  if (all.size < MOST_REMEMBERED) return;
  for (const [id, { taken }] of all) if (taken === 0) all.delete(id);
}
