import { setTimeout as pause } from 'node:timers/promises';
import { type Session, withSession } from '../stack/database-session.js';
import type { Stack } from '../stack/stack.js';
import { type Costs, measureCosts } from './costs.js';
import { type Call, type Flood, flood, openApi, type Posted } from './load.js';
import { type Percentiles, percentilesOf } from './quantiles.js';
import type { Receivers } from './receivers.js';

export type DriftwireRun = {
  deliveries: number;
  /** From the first request to the last outcome on record. */
  seconds: number;
  perSecond: number;
  /** From the request that brought the event to its arrival at a receiver, in milliseconds. */
  latencyMs: Percentiles;
  costs: Costs;
  /** Of receivers and load. */
  outsideCpuMs: number;
};

export type Scene = { stack: Stack; receivers: Receivers; call: Call; customerId: string };

/** A customer with one endpoint per receiver, each subscribed to everything. */
export async function setScene(stack: Stack, receivers: Receivers): Promise<Scene> {
  const call = openApi({ url: stack.apiUrls[0] ?? '', key: stack.adminKey });
  const { id: customerId } = (await call('POST', '/v1/customers', { name: 'Benchmark' })) as { id: string };
  for (const [index, url] of receivers.urls.entries()) {
    const endpoint = { customer_id: customerId, name: `receiver ${index + 1}`, url, event_types: ['*'] };
    await call('POST', '/v1/endpoints', endpoint);
  }
  return { stack, receivers, call, customerId };
}

export type RunSize = Omit<Flood, 'customerId'>;

/** Posts events and waits until every delivery has arrived and is on record. Rejects when one is not, or came twice. */
export async function runDriftwire(
  scene: Scene,
  size: RunSize,
  onProgress: (arrived: number, expected: number) => void,
): Promise<DriftwireRun> {
  const { stack, receivers, call, customerId } = scene;
  receivers.forget();
  const expected = size.events * receivers.urls.length;
  const { result, costs, outsideCpuMs } = await measureCosts(stack, async () => {
    const startedAt = performance.now();
    const watching = watchArrivals(receivers, expected, onProgress);
    const posted = await flood(call, { ...size, customerId });
    await watching;
    await withSession(stack.databaseUrl, untilAllRecorded);
    return { posted, seconds: (performance.now() - startedAt) / 1_000 };
  });
  refuseLosses(receivers, expected);
  if (stack.exits.length > 0) throw new Error(`${stack.exits[0]?.name} ended during the run`);
  return {
    deliveries: expected,
    seconds: result.seconds,
    perSecond: expected / result.seconds,
    latencyMs: latencyOf(result.posted, receivers),
    costs,
    outsideCpuMs,
  };
}

const LOOK_EVERY_MS = 5;
const GIVE_UP_MS = 60_000;

/** Until so many have arrived; gives up when nothing has for a minute. */
export async function watchArrivals(
  { arrivals }: Receivers,
  expected: number,
  onProgress: (arrived: number, expected: number) => void,
): Promise<void> {
  let last = { arrived: 0, at: performance.now() };
  while (arrivals.length < expected) {
    await pause(LOOK_EVERY_MS);
    if (arrivals.length > last.arrived) last = { arrived: arrivals.length, at: performance.now() };
    if (performance.now() - last.at > GIVE_UP_MS) {
      throw new Error(`only ${arrivals.length} of ${expected} deliveries arrived, none for a minute`);
    }
    onProgress(arrivals.length, expected);
  }
}

/** Nothing unfinished is left in the database; rejects after a minute. */
export async function untilAllRecorded({ query }: Session): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (
    (
      await query(
        'SELECT 1 WHERE EXISTS (SELECT FROM deliveries WHERE recover_at IS NOT NULL) OR EXISTS (SELECT FROM deliveries WHERE hold_reason IS NOT NULL)',
      )
    ).length > 0
  ) {
    if (performance.now() > deadline) throw new Error('deliveries have arrived that are not on record after a minute');
    await pause(LOOK_EVERY_MS);
  }
}

/** Every receiver counts what it got. */
export function refuseLosses({ arrivals }: Receivers, expected: number): void {
  const distinct = new Set(arrivals.map(({ deliveryId }) => deliveryId)).size;
  if (distinct !== expected || arrivals.length !== expected) {
    throw new Error(`${expected} deliveries, of which ${distinct} arrived, in ${arrivals.length} requests`);
  }
}

export function latencyOf(posted: readonly Posted[], { arrivals }: Receivers): Percentiles {
  const postedAt = new Map(posted.map((event) => [event.eventId, event.postedAt]));
  return percentilesOf(arrivals.map(({ eventId, at }) => at - (postedAt.get(eventId) ?? Number.NaN)));
}
