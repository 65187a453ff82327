import { stopsEverything } from './fault-kinds.js';
import type { InjectedFault } from './fault-runner.js';

/** A delivery to an endpoint that always answers 200. `acceptedAt` is its first 2xx. */
export type SteadyDelivery = {
  createdAt: number;
  completedAt: number | null;
  acceptedAt: number | null;
  attempts: number;
};

export type Observation = {
  faults: readonly InjectedFault[];
  deliveries: readonly SteadyDelivery[];
  /** For each request that was repeated after a 2xx, when that 2xx arrived. */
  repeatedAt: readonly number[];
  /** What is accepted so shortly before the next fault is that one's, not this one's. */
  guardMs: number;
  until: number;
};

/**
 * Milliseconds; null where there is nothing to measure. Counted from when the fault struck: whatever is done to one process
 * or receiver, the rest must flow on. Only a server that is away stops everything: then from its return.
 */
export type Recovery = InjectedFault & {
  silenceMs: number | null;
  /** Of those accepted since that took no second attempt: the others were hit themselves. */
  latencyMaxMs: number | null;
  /** Unfinished when it struck; accepted while a server was away and unfinished when it returned. */
  interrupted: number;
  interruptedDoneMs: number | null;
  repeats: number;
};

const LISTEN_MS = 30_000;

export function measureRecoveries(observation: Observation): Recovery[] {
  const faults = observation.faults.toSorted((one, other) => (one.injectedAt ?? 0) - (other.injectedAt ?? 0));
  const repeats = attributeRepeats(faults, observation.repeatedAt);
  return faults.map((fault) => ({
    ...fault,
    silenceMs: measureSilence(observation, fault),
    latencyMaxMs: measureLatency(observation, fault),
    ...measureInterruption(observation, fault),
    repeats: repeats.get(fault) ?? 0,
  }));
}

/** From when on deliveries that the fault did not hit have no excuse. */
function flowsFrom({ kind, injectedAt, endedAt }: InjectedFault): number {
  return stopsEverything(kind) ? endedAt : (injectedAt ?? endedAt);
}

/** The longest time without a delivery that arrives, until the next fault strikes, while events come. */
function measureSilence(observation: Observation, fault: InjectedFault): number | null {
  const from = flowsFrom(fault);
  const lastCreatedAt = largest(observation.deliveries.map(({ createdAt }) => createdAt)) ?? 0;
  const untilMs = Math.min(nextStrikeAt(observation, fault), fault.endedAt + LISTEN_MS, lastCreatedAt);
  if (untilMs <= from) return null;
  const arrivals = observation.deliveries
    .flatMap(({ acceptedAt }) => (acceptedAt !== null && acceptedAt > from ? [acceptedAt] : []))
    .toSorted((one, other) => one - other);
  const heard = arrivals.filter((at, index) => at <= untilMs || index === 0);
  const gaps = heard.map((at, index) => at - (heard[index - 1] ?? from));
  return largest(gaps);
}

function measureLatency(observation: Observation, fault: InjectedFault): number | null {
  const untilMs = nextStrikeAt(observation, fault) - observation.guardMs;
  const from = flowsFrom(fault);
  const later = observation.deliveries.filter(
    ({ createdAt, attempts }) => createdAt > from && createdAt < untilMs && attempts <= 1,
  );
  return largest(later.map((delivery) => (delivery.acceptedAt ?? endOf(delivery, observation)) - delivery.createdAt));
}

function measureInterruption(observation: Observation, fault: InjectedFault) {
  const { injectedAt } = fault;
  const from = flowsFrom(fault);
  if (injectedAt === null) return { interrupted: 0, interruptedDoneMs: null };
  const caught = observation.deliveries.filter((delivery) => {
    if (delivery.createdAt > from) return false;
    return endOf(delivery, observation) > (delivery.createdAt <= injectedAt ? injectedAt : from);
  });
  const doneMs = caught.map((delivery) => Math.max(0, endOf(delivery, observation) - from));
  return { interrupted: caught.length, interruptedDoneMs: largest(doneMs) };
}

/** The outcome of a 2xx was lost to the fault that struck nearest to it. */
function attributeRepeats(faults: readonly InjectedFault[], repeatedAt: readonly number[]): Map<InjectedFault, number> {
  const counts = new Map<InjectedFault, number>();
  for (const at of repeatedAt) {
    const distance = ({ injectedAt }: InjectedFault) =>
      injectedAt === null ? Number.MAX_VALUE : Math.abs(injectedAt - at);
    const [nearest] = faults.toSorted((one, other) => distance(one) - distance(other));
    if (nearest) counts.set(nearest, (counts.get(nearest) ?? 0) + 1);
  }
  return counts;
}

function nextStrikeAt({ faults }: Observation, { endedAt }: InjectedFault): number {
  const later = faults.flatMap(({ injectedAt }) => (injectedAt !== null && injectedAt > endedAt ? [injectedAt] : []));
  return Math.min(...later, Number.MAX_SAFE_INTEGER);
}

function endOf({ completedAt }: SteadyDelivery, { until }: Observation): number {
  return completedAt ?? until;
}

function largest(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((one, other) => Math.max(one, other));
}
