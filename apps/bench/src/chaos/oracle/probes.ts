import type { DeliveryStory } from './delivery-story.js';
import type { AttemptRow, Evidence, OpenCircuit, Violation } from './evidence.js';
import { CLOCK_NOISE_MS, freeFrom } from './leases.js';

/**
 * What was claimed before the circuit opened may begin a moment later; and where limits apply, what was let go before it for a time that
 * had yet to come, at most so much later.
 */
const LET_GO_BEFORE_MS = 3_000;
/** Starts are written in whole milliseconds. */
const ROUNDING_MS = 5;

/**
 * While a circuit is open nothing is sent but one probe at a time. All times are Postgres's: a probe is let go when the one before it has
 * been recorded, or is lost and its lease over, so that not even clocks are an excuse.
 */
export function findProbesAtOnce(stories: readonly DeliveryStory[], evidence: Evidence): Violation[] {
  const { circuits, promises } = evidence;
  return circuits.flatMap((circuit) => {
    const ofEndpoint = stories.filter(({ delivery }) => delivery.endpointId === circuit.endpointId);
    const name = ofEndpoint[0]?.endpoint?.name;
    const probes = ofEndpoint.flatMap(({ attempts }) => attempts.filter((attempt) => isProbe(attempt, circuit)));
    return pairsAtOnce(probes, promises.leaseMs).map(([one, other]) => ({
      rule: 'one probe at a time',
      ids: [one.deliveryId, other.deliveryId],
      sentence: `the circuit of ${name} was open, and ${describe(other)} began while ${describe(one)} was out`,
    }));
  });
}

function isProbe({ startedAt }: AttemptRow, { openedAt, closedAt }: OpenCircuit): boolean {
  return startedAt > openedAt + LET_GO_BEFORE_MS && (closedAt === null || startedAt < closedAt - CLOCK_NOISE_MS);
}

/** Each that begins too early, with the one before it that ends last. */
function pairsAtOnce(attempts: readonly AttemptRow[], leaseMs: number): [AttemptRow, AttemptRow][] {
  const pairs: [AttemptRow, AttemptRow][] = [];
  let last: AttemptRow | undefined;
  for (const attempt of attempts.toSorted((one, other) => one.startedAt - other.startedAt)) {
    if (last && attempt.startedAt < freeFrom(last, leaseMs) - ROUNDING_MS) pairs.push([last, attempt]);
    if (!last || freeFrom(attempt, leaseMs) > freeFrom(last, leaseMs)) last = attempt;
  }
  return pairs;
}

function describe({ deliveryId, number }: AttemptRow): string {
  return `attempt ${number} of delivery ${deliveryId}`;
}
