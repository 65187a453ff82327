import type { Figure, Findings } from './isolation-findings.js';
import { LIMITED } from './isolation-scenes.js';
import { type IsolationTools, withIsolationStage } from './isolation-stage.js';
import { flood } from './load.js';
import { mostWithin } from './most-within.js';
import type { Arrival } from './receivers.js';

const EVENTS_EACH = 1_000;
const ANSWERED_AFTER_MS = 100;
/** Timers round: an answer may be that much early. */
const EARLY_MS = 1;
const MOST_IN_FLIGHT = 5;
const MOST_PER_SECOND = 40;
/** What a rate may be over in a single second. */
const TOLERANCE = 1.1;

/** How others fare beside two that have limits and get more than these allow, and what the limits come to at their receivers. */
export function measureLimited(tools: IsolationTools): Promise<Findings> {
  return withIsolationStage(tools, { healthy: 10, bad: 2, delayMs: ANSWERED_AFTER_MS }, async (stage) => {
    const { call, badCustomers, badReceivers, measureBeside } = stage;
    tools.say(LIMITED.title);
    const limits = [{ max_in_flight: MOST_IN_FLIGHT }, { max_per_second: MOST_PER_SECOND }];
    for (const [index, { endpointId }] of badCustomers.entries())
      await call('PATCH', `/v1/endpoints/${endpointId}`, limits[index]);
    const floods = badCustomers.map(({ customerId }) =>
      flood(call, { customerId, events: EVENTS_EACH, perRequest: 500, requestsAtOnce: 2 }),
    );
    const [row] = await Promise.all([measureBeside(LIMITED.title), ...floods]);
    return { rows: [row], figures: figuresOf(badReceivers.arrivals) };
  });
}

function figuresOf(arrivals: readonly Arrival[]): Figure[] {
  const scene = LIMITED.title;
  const [inFlight, paced] = [0, 1].map((receiver) => timesOf(arrivals, receiver)) as [number[], number[]];
  return [
    { scene, what: 'delivered to the one with max_in_flight', value: inFlight.length, unit: '' },
    // Those that came within the time in which none was answered.
    {
      scene,
      what: 'most requests in flight there',
      value: mostWithin(inFlight, ANSWERED_AFTER_MS - EARLY_MS),
      unit: '',
      most: MOST_IN_FLIGHT,
    },
    { scene, what: 'delivered to the one with max_per_second', value: paced.length, unit: '' },
    {
      scene,
      what: 'most requests in a second there',
      value: mostWithin(paced, 1_000),
      unit: '',
      most: MOST_PER_SECOND * TOLERANCE,
    },
  ];
}

function timesOf(arrivals: readonly Arrival[], receiver: number): number[] {
  return arrivals.filter((arrival) => arrival.receiver === receiver).map(({ at }) => at);
}
