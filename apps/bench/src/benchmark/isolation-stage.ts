import { until } from '@driftwire/local-servers';
import type { Stack } from '../stack/stack.js';
import type { Benches } from './bench.js';
import { addCustomers, type Customer } from './customers.js';
import { AS_IF_NOTHING, type BesideRow, type Limit } from './isolation-findings.js';
import { type Call, flood, openApi, type Posted } from './load.js';
import { percentilesOf } from './quantiles.js';
import { type Receivers, startReceivers } from './receivers.js';
import { postSteadily } from './steady-load.js';

/** Healthy customers, measured alone, and bad ones of which nothing has happened yet. */
export type IsolationStage = {
  stack: Stack;
  call: Call;
  badReceivers: Receivers;
  badCustomers: Customer[];
  /** How the healthy ones fare, when as many seconds of their events have gone before. */
  measureBeside: (title: string, how?: { limit?: Limit; afterS?: number }) => Promise<BesideRow>;
};

/** What a scene is measured with. */
export type IsolationTools = Benches & { workers: number };

type StageSize = { healthy: number; bad: number; delayMs?: number; env?: Record<string, string> };

export const MEASURED_S = 20;
/** So that each of them has had an event, and what is measured is not how code runs for the first time. */
const LEAST_WARM_UP_S = 10;
const WARM_UP_BATCHES = { events: 3_000, perRequest: 500, requestsAtOnce: 4 };
/** For all of the healthy ones together. */
const PER_SECOND = 40;
/** For those that are still under way when the last was posted. */
const PATIENCE_MS = 15_000;

/** Each scene has a stack of its own. */
export async function withIsolationStage<T>(
  tools: IsolationTools,
  { healthy, bad, delayMs = 0, env = {} }: StageSize,
  use: (stage: IsolationStage) => Promise<T>,
): Promise<T> {
  const badReceivers = await startReceivers(bad, { delayMs });
  const size = { workers: tools.workers, receivers: 1, env };
  try {
    return await tools.withBench(size, async ({ stack, receivers }) => {
      const call = openApi({ url: stack.apiUrls[0] ?? '', key: stack.adminKey });
      const customers = await addCustomers(call, Array<string>(healthy).fill(receivers.urls[0] ?? ''));
      const badCustomers = await addCustomers(call, badReceivers.urls);
      const measureBeside = await measureAlone(tools, { call, receivers, customers });
      return use({ stack, call, badReceivers, badCustomers, measureBeside });
    });
  } finally {
    await badReceivers.close();
  }
}

type Healthy = { call: Call; receivers: Receivers; customers: readonly Customer[] };

async function measureAlone(
  { say, progress }: Benches,
  { call, receivers, customers }: Healthy,
): Promise<IsolationStage['measureBeside']> {
  const ids = customers.map(({ customerId }) => customerId);
  const post = (seconds: number) => postSteadily(call, ids, { perSecond: PER_SECOND, seconds, progress });
  const measure = () => measureArrivals(receivers, () => post(MEASURED_S));
  say('warming up');
  await flood(call, { ...WARM_UP_BATCHES, customerId: ids[0] ?? '' });
  await post(Math.max(LEAST_WARM_UP_S, ids.length / PER_SECOND));
  say('the healthy alone');
  const alone = percentilesOf((await measure()).latencies);
  return async (title, { limit: { text, p99Ms } = AS_IF_NOTHING, afterS = 0 } = {}) => {
    await post(afterS);
    const { latencies, ...counts } = await measure();
    return { title, alone, beside: percentilesOf(latencies), ...counts, limit: { text, p99Ms: p99Ms(alone) } };
  };
}

async function measureArrivals(receivers: Receivers, post: () => Promise<Posted[]>) {
  receivers.forget();
  const posted = await post();
  const haveArrived = () => !latenciesOf(posted, receivers).includes(Infinity);
  await until(haveArrived, { deadlineMs: PATIENCE_MS, everyMs: 50 });
  const latencies = latenciesOf(posted, receivers);
  return { latencies, expected: posted.length, arrived: latencies.filter(Number.isFinite).length };
}

function latenciesOf(posted: readonly Posted[], { arrivals }: Receivers): number[] {
  const arrivedAt = new Map(arrivals.map(({ eventId, at }) => [eventId, at]));
  return posted.map(({ eventId, postedAt }) => (arrivedAt.get(eventId) ?? Infinity) - postedAt);
}
