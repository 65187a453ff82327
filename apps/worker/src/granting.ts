import { type Granted, SENT_WITHIN_MS } from '@driftwire/database';
import type { DeliveryToRun } from '@driftwire/queue';

export type GrantingDeps = {
  /** Of each endpoint so many at most; a rate's first after `leadMs`. */
  grant: (wanted: ReadonlyMap<string, number>, leadMs: number) => Promise<Granted[]>;
  freeSlots: (granted: readonly Granted[]) => Promise<void>;
  /** Never rejects but for a bug. */
  run: (delivery: DeliveryToRun, maxAttempts: number) => Promise<void>;
  /** A granted delivery is over: another one of its endpoint may be granted. */
  onOver: (endpointId: string) => void;
  /** Slots that are not given back are free when their time is over. */
  onNotFreed: (error: unknown) => void;
  /** So many requests this worker could begin now: what finds no place is held again. */
  sparePlaces: () => number;
  /** Granted deliveries of an endpoint that this worker has at once. */
  mostAtOnce: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  /** Calls back after so long. */
  later: (callback: () => void, ms: number) => void;
};

export type Granting = {
  /** Grants as many as this worker has places for, and runs each when it is due. */
  grant: (wanted: ReadonlyMap<string, number>) => Promise<Granted[]>;
  /** Runs a delivery that was granted. Returns at once. */
  run: (granted: Granted) => void;
  /** The request of a delivery is over: a slot that it has is free. */
  onRequestOver: (deliveryId: string) => void;
};

/** `isSent`: its request has been made. `isOver`: another one may be granted, and its slot is given back. */
type Running = { granted: Granted; isSent: boolean; isOver: boolean };

/** Claimed so long before its time, so that the request goes out on time. */
const LEAD_MS = 80;
/** Where requests miss their time all the same, the first is due so much later, for a while. */
const LATE_LEAD_MS = 500;
const LATE_FOR_MS = 10_000;

/**
 * Runs deliveries that were held and are granted to this worker (grantHeld, takeProbes), without a job: what this worker does not come to do
 * is found by the sweeper, claimed without a grant, and held again.
 */
export function createGranting(deps: GrantingDeps): Granting {
  const running = new Map<string, Running>();
  let lateUntilMs = Number.NEGATIVE_INFINITY;

  const underWay = (endpointId: string) =>
    [...running.values()].filter(({ granted }) => granted.endpointId === endpointId).length;

  async function end(one: Running): Promise<void> {
    if (one.isOver) return;
    one.isOver = true;
    const { granted } = one;
    if (granted.hasSlot) await deps.freeSlots([granted]).catch(deps.onNotFreed);
    deps.onOver(granted.endpointId);
  }

  async function runNow(one: Running, atMs: number): Promise<void> {
    const { deliveryId, endpointId, generation, maxAttempts, isPaced } = one.granted;
    const pace = isPaced ? { pace: { atMs, withinMs: SENT_WITHIN_MS } } : {};
    await deps.run({ deliveryId, endpointId, generation, isReleased: true, isGranted: true, ...pace }, maxAttempts);
    running.delete(deliveryId);
    if (isPaced && !one.isSent) lateUntilMs = deps.now() + LATE_FOR_MS;
    await end(one);
  }

  function run(granted: Granted): void {
    const one = { granted, isSent: false, isOver: false };
    const atMs = deps.now() + granted.dueInMs;
    running.set(granted.deliveryId, one);
    deps.later(() => void runNow(one, atMs), Math.max(granted.dueInMs - LEAD_MS, 0));
  }

  return {
    run,
    async grant(wanted) {
      let spare = deps.sparePlaces();
      const fitting = [...wanted].flatMap(([id, count]): [string, number][] => {
        const most = Math.min(count, spare, deps.mostAtOnce - underWay(id));
        spare -= Math.max(most, 0);
        return most > 0 ? [[id, most]] : [];
      });
      if (fitting.length === 0) return [];
      const granted = await deps.grant(new Map(fitting), deps.now() < lateUntilMs ? LATE_LEAD_MS : 0);
      for (const one of granted) run(one);
      return granted;
    },
    onRequestOver(deliveryId) {
      const one = running.get(deliveryId);
      if (one === undefined) return;
      one.isSent = true;
      void end(one);
    },
  };
}
