import {
  type Acceptance,
  acceptEvents,
  type BatcherOptions,
  createBatcher,
  type EventToAccept,
  isPostgresUnavailable,
  type Outage,
  type RawQuery,
} from '@driftwire/database';
import type { DeliveryWakeUp } from '@driftwire/queue';
import { createPace } from './pace.js';
import { RECENT_MS } from './turns.js';

/**
 * Stores the events of one request, all or none, and answers in their order. Keys must be unique within the request. While
 * Postgres is away it waits `until` then.
 */
export type Accept = (events: readonly EventToAccept[], until: number) => Promise<Acceptance[]>;

export type AcceptOptions = {
  maxAttempts: number;
  /** See `AcceptLimits`. */
  deliveriesPerJob: number;
  /** Returns at once: no answer waits for Redis. */
  enqueue: (wakeUps: readonly DeliveryWakeUp[]) => void;
  /** See `AcceptLimits`. */
  backlogMs: () => number;
  /** Told how many events went into one statement. */
  observeBatch: (events: number) => void;
  outage: Outage;
  maxEndpointsPerCustomer: number;
};

/** Of one statement: so many events, or so many bytes of bodies. */
const MAX_ROWS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
/** A request above either takes longer to store than a single event may wait. */
const LARGE_ROWS = 50;
const LARGE_BYTES = 256 * 1024;
/** Of one statement, and so of one request: half of its time limit on a small machine with two of them at once. */
export const MAX_DELIVERIES = 25_000;
/** One works while the other waits for the disk; with so many requests on their way those that come now share the next one. */
const LANES = 2;
/** One at a time leaves Postgres time for single events; and where some came lately, it rests for twice as long as it took. */
const LARGE_LANES = 1;
const LARGE_REST = 2;
const LONGEST_REST_MS = 500;
const CROWDED_AT = 8;
/**
 * From an event's `created_at` to its statement, which runs for 8 s at most (`connect.ts`): so it can be read within 30 s, which is what
 * lists promise (`page.ts`).
 */
const WITHIN_MS = 20_000;

/**
 * Requests that arrive while a statement is on its way share the next one, and its bundles. Large ones have statements of their own, so
 * that nobody waits for a batch but those that post some.
 */
export function createAccept(
  database: RawQuery,
  { maxAttempts, deliveriesPerJob, enqueue, backlogMs, observeBatch, outage, maxEndpointsPerCustomer }: AcceptOptions,
): Accept {
  const rankOf = createPace();
  const maxRows = Math.min(MAX_ROWS, MAX_DELIVERIES / maxEndpointsPerCustomer);
  const batching: BatcherOptions<readonly EventToAccept[], Acceptance[]> = {
    run: async (requests) => {
      observeBatch(requests.reduce((rows, events) => rows + events.length, 0));
      const limits = { maxAttempts, deliveriesPerJob, backlogMs: backlogMs(), withinMs: WITHIN_MS };
      const acceptances = await acceptEvents(database, requests, limits);
      enqueue(wakeUpsOf(acceptances.flat(), { maxAttempts, rankOf }));
      return acceptances;
    },
    keysOf: (events) => events.flatMap(keyOf),
    weigh: (events) => Math.max(events.length / maxRows, textLength(events) / MAX_BYTES),
    capacity: 1,
    lanes: LANES,
    crowdedAt: CROWDED_AT,
    isOutage: isPostgresUnavailable,
    outage,
  };
  let lastSmallAt = Number.NEGATIVE_INFINITY;
  const restMs = (tookMs: number) => restAfterLarge(tookMs, performance.now() - lastSmallAt);
  const small = createBatcher(batching);
  const large = createBatcher({ ...batching, lanes: LARGE_LANES, restMs });
  return (events, until) => {
    if (isLarge(events)) return large.submit(events, until);
    lastSmallAt = performance.now();
    return small.submit(events, until);
  };
}

/** How long the lane of large requests rests, in milliseconds, after a statement that took so long, since a small request came. */
export function restAfterLarge(tookMs: number, sinceSmallMs: number): number {
  return sinceSmallMs < RECENT_MS ? Math.min(LARGE_REST * tookMs, LONGEST_REST_MS) : 0;
}

function isLarge(events: readonly EventToAccept[]): boolean {
  return events.length > LARGE_ROWS || textLength(events) > LARGE_BYTES;
}

type Jobs = { maxAttempts: number; rankOf: (endpointId: string) => number };

function wakeUpsOf(acceptances: readonly Acceptance[], { maxAttempts, rankOf }: Jobs): DeliveryWakeUp[] {
  return acceptances
    .flatMap((acceptance) => (acceptance.kind === 'created' ? acceptance.deliveries : []))
    .filter(({ status, isHeld }) => !isHeld && (status === 'pending' || status === 'retrying'))
    .map(({ id, generation, endpointId, jobId }) => ({
      deliveryId: id,
      generation,
      endpointId,
      maxAttempts,
      jobId,
      rank: rankOf(endpointId),
    }));
}

function keyOf({ customerId, idempotency }: EventToAccept): string[] {
  return idempotency === null ? [] : [`${customerId}/${idempotency.key}`];
}

function textLength(events: readonly EventToAccept[]): number {
  return events.reduce((length, { body }) => length + body.length, 0);
}
