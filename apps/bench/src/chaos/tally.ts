import type { Exit } from '../stack/process-keeper.js';
import type { HeldSeen } from './held-watch.js';
import { tellStories } from './oracle/delivery-story.js';
import type { DeliveryRow, Evidence } from './oracle/evidence.js';
import { acceptedRequests } from './oracle/repeats.js';
import type { Production } from './producer.js';

/** `held`: those that were seen held. `lost`: acknowledged deliveries that are missing or have not ended. */
export type Tally = {
  events: number;
  deliveries: number;
  endings: Record<string, number>;
  requests: number;
  attempts: number;
  unknown: number;
  repeats: number;
  held: number;
  heldAtOnce: number;
  circuits: number;
  closedByProbe: number;
  closedByHand: number;
  probes: number;
  late202s: number;
  slowest202Ms: number;
  restarts: number;
  wedged: number;
  lost: number;
  violations: number;
};

const LATE_202_MS = 5_000;

type Counted = {
  evidence: Evidence;
  production: Production;
  exits: readonly Exit[];
  held: HeldSeen;
  probes: number;
  wedged: number;
  violations: number;
};

export function tallyUp({ evidence, production, exits, held, probes, wedged, violations }: Counted): Tally {
  const { deliveries, attempts, requests, circuits } = evidence;
  const repeats = tellStories(evidence).map((story) => Math.max(0, acceptedRequests(story).length - 1));
  const latencies = production.acknowledged.map(({ latencyMs }) => latencyMs);
  return {
    events: production.acknowledged.length,
    deliveries: deliveries.length,
    endings: countEndings(deliveries),
    requests: requests.length,
    attempts: attempts.length,
    unknown: attempts.filter(({ outcome }) => outcome === 'unknown').length,
    repeats: repeats.reduce((sum, count) => sum + count, 0),
    held: held.ids.size,
    heldAtOnce: held.mostAtOnce,
    circuits: circuits.length,
    closedByProbe: circuits.filter(({ isClosedByProbe }) => isClosedByProbe === true).length,
    closedByHand: circuits.filter(({ isClosedByProbe }) => isClosedByProbe === false).length,
    probes,
    late202s: latencies.filter((ms) => ms > LATE_202_MS).length,
    slowest202Ms: latencies.reduce((one, other) => Math.max(one, other), 0),
    restarts: exits.length,
    wedged,
    lost: countLost(evidence),
    violations,
  };
}

export function nameEnding({ status, failureReason }: DeliveryRow): string {
  return failureReason === null ? status : `${status}/${failureReason}`;
}

function countEndings(deliveries: readonly DeliveryRow[]): Record<string, number> {
  const endings: Record<string, number> = {};
  for (const delivery of deliveries) endings[nameEnding(delivery)] = (endings[nameEnding(delivery)] ?? 0) + 1;
  return endings;
}

function countLost({ acknowledged, deliveries }: Evidence): number {
  const ended = new Set(deliveries.filter(({ completedAt }) => completedAt !== null).map(({ id }) => id));
  return acknowledged.flatMap(({ deliveryIds }) => deliveryIds).filter((id) => !ended.has(id)).length;
}
