import {
  type Claim,
  closeCircuit,
  closeCircuits,
  countHeld,
  DRIFTWIRE,
  endCrowding,
  endHeld,
  freeSlots,
  grantHeld,
  heldEndpoints,
  openCircuit,
  type PrismaClient,
  putOffProbe,
  releaseHeld,
  takeProbes,
} from '@driftwire/database';
import type { Consumer, DeliveryWakeUp } from '@driftwire/queue';
import type { Log, WorkerConfig } from '@driftwire/runtime';
import type { Registry } from 'prom-client';
import { type Attempted, createCircuits, noCircuits } from './circuits.js';
import { createCircuitsObserver } from './circuits-observer.js';
import { createGranting } from './granting.js';
import { createHolding, type Holding, type HoldingDeps } from './holding.js';
import { createHoldingObserver } from './holding-observer.js';

export type FlowDeps = {
  config: WorkerConfig;
  prisma: PrismaClient;
  log: Log;
  registry: Registry;
  leaseMs: number;
  hold: HoldingDeps['hold'];
  consumer: Pick<Consumer, 'runWithoutJob' | 'sparePlaces' | 'hasRoomFor'>;
  enqueue: (wakeUps: readonly DeliveryWakeUp[]) => void;
};

/** What may go out to an endpoint when: places, circuits and limits, and what waits for them. */
export type Flow = Pick<Holding, 'isCrowded' | 'hold' | 'noteCrowded' | 'look' | 'close'> & {
  onRequestOver: (
    delivery: { endpointId: string; deliveryId: string },
    over: Parameters<Holding['onRequestOver']>[1],
  ) => void;
  /** To be told of every attempt that is on record. */
  judgeEndpoint: (claim: Claim, attempt: Attempted) => Promise<void> | undefined;
  /** For a gauge. */
  count: () => Promise<void>;
};

/** How held deliveries are found and let go. */
export type LettingGo = { heldEndpoints: typeof heldEndpoints; releaseHeld: typeof releaseHeld };

/** So long after it was granted a delivery may be claimed. */
const GRANT_MS = 5_000;
/** The gauge counts up to this, which is more than anybody needs to know. */
const COUNT_LIMIT = 10_000;

export function createFlow(deps: FlowDeps, lettingGo: LettingGo = { heldEndpoints, releaseHeld }): Flow {
  const { config, prisma, log, registry } = deps;
  const maxHours = config.HOLD_MAX_HOURS;
  const observe = createHoldingObserver(log, registry);
  const granting = createFlowsGranting(deps, (endpointId) => holding.onGrantOver(endpointId));
  const circuits = config.CIRCUIT_BREAKER
    ? createFlowsCircuits(deps, granting.run)
    : noCircuits(() => closeCircuits(prisma));
  const holding = createHolding({
    hold: deps.hold,
    release: (wanted) => lettingGo.releaseHeld(prisma, wanted, { deliveriesPerJob: config.DELIVERIES_PER_JOB }),
    grant: granting.grant,
    sparePlaces: () => deps.consumer.sparePlaces(),
    hasRoomFor: (endpointId) => deps.consumer.hasRoomFor(endpointId),
    isFailing: circuits.isFailing,
    timeoutsRelease: !config.CIRCUIT_BREAKER,
    probe: circuits.probe,
    endCrowding: (endpointIds) => endCrowding(prisma, endpointIds),
    heldEndpoints: () => lettingGo.heldEndpoints(prisma, { maxHours }),
    endHeld: (endpointId, limit) => endHeld(prisma, endpointId, { maxHours, limit }),
    enqueue: deps.enqueue,
    observe,
    ...REAL_TIME,
    random: Math.random,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  return {
    ...holding,
    onRequestOver({ endpointId, deliveryId }, over) {
      granting.onRequestOver(deliveryId);
      holding.onRequestOver(endpointId, over);
    },
    judgeEndpoint: (claim, attempt) =>
      circuits.attempted(claim, attempt)?.then((isClosed) => {
        if (isClosed) holding.letGo(claim.endpoint.id, 1);
      }),
    count: async () => observe.counted(await countHeld(prisma, { limit: COUNT_LIMIT })),
  };
}

const REAL_TIME = {
  now: () => performance.now(),
  later: (callback: () => void, ms: number) => void setTimeout(callback, ms),
};

function createFlowsGranting({ config, prisma, log, leaseMs, consumer }: FlowDeps, onOver: (id: string) => void) {
  return createGranting({
    grant: (wanted, leadMs) => grantHeld(prisma, wanted, { leaseMs, leadMs, claimWithinMs: GRANT_MS }),
    freeSlots: (granted) => freeSlots(prisma, granted),
    run: (delivery, maxAttempts) => consumer.runWithoutJob(delivery, maxAttempts),
    onOver,
    onNotFreed: (error) => log.warn({ err: error }, 'slot.not_freed: it is when its lease is over'),
    sparePlaces: () => consumer.sparePlaces(),
    mostAtOnce: config.WORKER_CONCURRENCY,
    ...REAL_TIME,
  });
}

function createFlowsCircuits(
  { config, prisma, log, registry, leaseMs }: FlowDeps,
  run: ReturnType<typeof createGranting>['run'],
) {
  return createCircuits({
    open: (endpoint) => openCircuit(prisma, endpoint, { probeAfterMs: config.CIRCUIT_PROBE_MS }),
    close: (probe) => closeCircuit(prisma, probe, DRIFTWIRE),
    putOff: (probe, how) => putOffProbe(prisma, probe, how),
    takeProbes: (endpointIds) => takeProbes(prisma, endpointIds, { leaseMs, claimWithinMs: GRANT_MS }),
    run,
    observe: createCircuitsObserver(log, registry),
    policy: { afterFailures: config.CIRCUIT_AFTER_FAILURES, afterMs: config.CIRCUIT_AFTER_MS },
    now: REAL_TIME.now,
  });
}
