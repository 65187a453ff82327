import type { Granted } from '@driftwire/database';
import { SENT_WITHIN_MS } from '@driftwire/database';
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
  /** Granted deliveries of an endpoint that this worker has at once. */
  mostAtOnce: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  /** Calls back after so long. */
  later: (callback: () => void, ms: number) => void;
};

export type Granting = {
  /** Grants as many, and runs each when it is due. Answers how many of each endpoint. */
  grant: (wanted: ReadonlyMap<string, number>) => Promise<Granted[]>;
  /** Runs a delivery that was granted. Returns at once. */
  run: (granted: Granted) => void;
  /** The request of a delivery is over: a slot that it has is free. */
  onRequestOver: (deliveryId: string) => void;
};

/** Claimed so long before its time, so that the request goes out on time. */
const LEAD_MS = 80;
/** Where claims take too long for that, the first is due so much later, for a while. */
const LATE_LEAD_MS = 500;
const LATE_FOR_MS = 10_000;

/**
 * Runs deliveries that were held and are granted to this worker (grantHeld, takeProbes), without a job: what this worker does not come to do
 * is found by the sweeper, claimed without a grant, and held again.
 */
export function createGranting(deps: GrantingDeps): Granting {
  const underWay = new Map<string, number>();
  const withSlot = new Map<string, Granted>();
  let lateUntilMs = Number.NEGATIVE_INFINITY;

  function count(endpointId: string, change: 1 | -1): void {
    const left = (underWay.get(endpointId) ?? 0) + change;
    if (left === 0) underWay.delete(endpointId);
    else underWay.set(endpointId, left);
  }

  async function freeSlot(deliveryId: string): Promise<void> {
    const granted = withSlot.get(deliveryId);
    if (granted === undefined) return;
    withSlot.delete(deliveryId);
    await deps.freeSlots([granted]).catch(deps.onNotFreed);
    deps.onOver(granted.endpointId);
  }

  async function runNow({ deliveryId, endpointId, generation, maxAttempts, isPaced }: Granted, atMs: number) {
    const pace = isPaced ? { pace: { atMs, withinMs: SENT_WITHIN_MS } } : {};
    if (isPaced && deps.now() > atMs) lateUntilMs = deps.now() + LATE_FOR_MS;
    await deps.run({ deliveryId, endpointId, generation, isReleased: true, isGranted: true, ...pace }, maxAttempts);
    count(endpointId, -1);
    if (withSlot.has(deliveryId)) await freeSlot(deliveryId);
    else deps.onOver(endpointId);
  }

  function run(granted: Granted): void {
    const atMs = deps.now() + granted.dueInMs;
    count(granted.endpointId, 1);
    if (granted.hasSlot) withSlot.set(granted.deliveryId, granted);
    deps.later(() => void runNow(granted, atMs), Math.max(granted.dueInMs - LEAD_MS, 0));
  }

  return {
    run,
    async grant(wanted) {
      const fitting = [...wanted].flatMap(([id, count]): [string, number][] => {
        const most = Math.min(count, deps.mostAtOnce - (underWay.get(id) ?? 0));
        return most > 0 ? [[id, most]] : [];
      });
      if (fitting.length === 0) return [];
      const granted = await deps.grant(new Map(fitting), deps.now() < lateUntilMs ? LATE_LEAD_MS : 0);
      for (const one of granted) run(one);
      return granted;
    },
    onRequestOver: (deliveryId) => void freeSlot(deliveryId),
  };
}
