import { until } from '@driftwire/local-servers';
import { strike } from '../stack/process-keeper.js';
import { whileRedisIsAway } from '../stack/redis-away.js';
import type { Stack } from '../stack/stack.js';
import { addCustomers } from './customers.js';
import type { Figure, Findings } from './isolation-findings.js';
import type { RedisAwayScene } from './isolation-scenes.js';
import type { IsolationTools } from './isolation-stage.js';
import { type Call, flood, openApi, type Posted, postOne } from './load.js';
import { passSeconds } from './passing-time.js';
import { quantile } from './quantiles.js';
import type { Receivers } from './receivers.js';
import { atPace, postSteadily } from './steady-load.js';

const WARM_UP = { perSecond: 20, seconds: 5 };
const BATCHES = { perRequest: 500, requestsAtOnce: 4 };
const WITHIN_S = 30;
const ROWS_PER_SECOND = 1_000;
/** The sweeper's last resort comes after a quarter of an hour: what has not arrived by then is lost. */
const PATIENCE_MS = 16 * 60_000;

/** What is accepted while Redis is away, for a receiver that is healthy, and when it arrives after Redis is back, empty. */
export function measureRedisAway(
  scene: RedisAwayScene,
  { withBench, workers, say, progress, stop }: IsolationTools,
): Promise<Findings> {
  return withBench({ workers, receivers: 1 }, async ({ stack, receivers }) => {
    const call = openApi({ url: stack.apiUrls[0] ?? '', key: stack.adminKey });
    const [customer] = await addCustomers(call, receivers.urls);
    const customerId = customer?.customerId ?? '';
    say('warming up');
    await postSteadily(call, [customerId], WARM_UP);
    say(scene.title);
    receivers.forget();
    const accepted = await whileRedisIsAway(stack, stop, async () => {
      const [posted] = await Promise.all([
        postMeanwhile(call, customerId, scene),
        killTheApi(scene, stack, stop),
        passSeconds(scene.awayS, stop, progress),
      ]);
      return posted;
    });
    const returnedAt = performance.now();
    say('Redis is back');
    const waits = await waitsOf(accepted, receivers, { returnedAt, stop, progress });
    return { rows: [], figures: figuresOf(scene.title, waits) };
  });
}

/** What the API does not accept, because it is being started again, is not counted. */
async function postMeanwhile(
  call: Call,
  customerId: string,
  { flood: events, perSecond, awayS }: RedisAwayScene,
): Promise<Posted[]> {
  const batches = await flood(call, { ...BATCHES, customerId, events });
  const single = (n: number) => postOne(call, customerId, n).catch(() => null);
  const singles = await atPace({ perSecond, seconds: awayS }, single);
  return [...batches, ...singles.filter((posted) => posted !== null)];
}

async function killTheApi({ apiIsKilled, awayS }: RedisAwayScene, { apis }: Stack, stop: AbortSignal): Promise<void> {
  if (!apiIsKilled) return;
  await passSeconds(awayS / 2, stop);
  for (const api of apis) strike(api, 'SIGKILL', 'kill');
}

type Waiting = { returnedAt: number; stop: AbortSignal; progress: IsolationTools['progress'] };

/** Of each since Redis is back, in milliseconds; Infinity if it has not arrived. */
async function waitsOf(
  accepted: readonly Posted[],
  receivers: Receivers,
  { returnedAt, stop, progress }: Waiting,
): Promise<number[]> {
  const missing = new Set(accepted.map(({ eventId }) => eventId));
  let seen = 0;
  const haveArrived = () => {
    for (const { eventId } of receivers.arrivals.slice(seen)) missing.delete(eventId);
    seen = receivers.arrivals.length;
    progress(accepted.length - missing.size, accepted.length);
    return missing.size === 0;
  };
  await until(haveArrived, { deadlineMs: PATIENCE_MS, signal: stop });
  const arrivedAt = new Map(receivers.arrivals.toReversed().map(({ eventId, at }) => [eventId, at]));
  return accepted.map(({ eventId }) => Math.max(0, (arrivedAt.get(eventId) ?? Infinity) - returnedAt));
}

function figuresOf(scene: string, waits: readonly number[]): Figure[] {
  const seconds = (share: number) => quantile(waits, share) / 1_000;
  const lost = waits.filter((wait) => !Number.isFinite(wait)).length;
  return [
    { scene, what: 'accepted meanwhile', value: waits.length, unit: '' },
    { scene, what: 'of these not arrived', value: lost, unit: '', most: 0 },
    { scene, what: 'arrived after its return, p50', value: seconds(0.5), unit: 's' },
    { scene, what: 'p99', value: seconds(0.99), unit: 's' },
    { scene, what: 'the last', value: seconds(1), unit: 's', most: WITHIN_S + waits.length / ROWS_PER_SECOND },
  ];
}
