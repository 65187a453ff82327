import type { InjectedFault } from './fault-runner.js';

/** A delivery to an endpoint that always answers 200. `acceptedAt` is its first 2xx. */
export type SteadyDelivery = { createdAt: number; completedAt: number | null; acceptedAt: number | null };

export type Observation = {
  faults: readonly InjectedFault[];
  deliveries: readonly SteadyDelivery[];
  /** For each request that was repeated after a 2xx, when that 2xx arrived. */
  repeatedAt: readonly number[];
  /** What is accepted so shortly before the next fault is that one's, not this one's. */
  guardMs: number;
  until: number;
};

/** Milliseconds, counted from the end of the fault; null where there is nothing to measure. */
export type Recovery = InjectedFault & {
  silenceMs: number | null;
  latencyMaxMs: number | null;
  /** Unfinished when it struck, or accepted while it lasted and unfinished at its end. */
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

/** The longest time without a delivery that arrives, from the end of the fault until the next one, while events come. */
function measureSilence(observation: Observation, fault: InjectedFault): number | null {
  const lastCreatedAt = largest(observation.deliveries.map(({ createdAt }) => createdAt)) ?? 0;
  const untilMs = Math.min(nextStrikeAt(observation, fault), fault.endedAt + LISTEN_MS, lastCreatedAt);
  if (untilMs <= fault.endedAt) return null;
  const arrivals = observation.deliveries
    .flatMap(({ acceptedAt }) => (acceptedAt !== null && acceptedAt > fault.endedAt ? [acceptedAt] : []))
    .toSorted((one, other) => one - other);
  const heard = arrivals.filter((at, index) => at <= untilMs || index === 0);
  const gaps = heard.map((at, index) => at - (heard[index - 1] ?? fault.endedAt));
  return largest(gaps);
}

function measureLatency(observation: Observation, fault: InjectedFault): number | null {
  const untilMs = nextStrikeAt(observation, fault) - observation.guardMs;
  const later = observation.deliveries.filter(({ createdAt }) => createdAt > fault.endedAt && createdAt < untilMs);
  return largest(later.map((delivery) => (delivery.acceptedAt ?? endOf(delivery, observation)) - delivery.createdAt));
}

function measureInterruption(observation: Observation, fault: InjectedFault) {
  const { injectedAt, endedAt } = fault;
  if (injectedAt === null) return { interrupted: 0, interruptedDoneMs: null };
  const caught = observation.deliveries.filter((delivery) => {
    if (delivery.createdAt > endedAt) return false;
    return endOf(delivery, observation) > (delivery.createdAt <= injectedAt ? injectedAt : endedAt);
  });
  const doneMs = caught.map((delivery) => Math.max(0, endOf(delivery, observation) - endedAt));
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
