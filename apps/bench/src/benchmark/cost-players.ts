import type { Checkout } from '../stack/checkout.js';
import { withSession } from '../stack/database-session.js';
import type { Bench, Benches } from './bench.js';
import { type FloodScene, REST } from './cost-scenes.js';
import { type Costs, measureCosts } from './costs.js';
import {
  type DriftwireRun,
  latencyOf,
  refuseLosses,
  runDriftwire,
  type Scene,
  setScene,
  untilAllRecorded,
} from './driftwire-run.js';
import type { Percentiles } from './quantiles.js';
import { postSteadily } from './steady-load.js';

/** A checkout that is up, with the customers of its scenes. */
export type Contender = { checkout: Checkout; bench: Bench; scenes: Map<number, Scene> };

export type ByProcess = Record<keyof Costs, number>;

export type SceneCost = {
  /** Processor time a delivery, in milliseconds. */
  cpuMs: ByProcess;
  perSecond: number;
  latencyMs: Percentiles;
};

/** How a scene is played: a while for nothing, and, each time the tables were tidied, a moment for nothing before it counts. */
export type Player = Record<'warmUp' | 'settle' | 'measure', (contender: Contender) => Promise<SceneCost>>;

const WARM_UP: Load = { endpoints: 1, events: 3_000, perRequest: 1, requestsAtOnce: 32 };
/** Of each scene, uncounted, before it is measured. */
const WARM_UP_SHARE = 0.4;
/** Tidied tables have new statistics, by which every connection plans its statements anew. */
const SETTLE_SHARE = 0.1;
const REST_WARM_UP_S = 6;
const REST_SETTLE_S = 2;
const REST_S = 8;

export async function warmUp(contender: Contender, benches: Benches): Promise<void> {
  benches.say(`warming up ${contender.checkout.name}`);
  await flood(contender, WARM_UP, benches);
}

export function createFlood(scene: FloodScene, benches: Benches): Player {
  const measure = async (contender: Contender, events: number) => {
    const { costs, deliveries, perSecond, latencyMs } = await flood(contender, { ...scene, events }, benches);
    return { cpuMs: perUnit(costs, deliveries), perSecond, latencyMs };
  };
  return {
    warmUp: (contender) => measure(contender, Math.round(scene.events * WARM_UP_SHARE)),
    settle: (contender) => measure(contender, Math.round(scene.events * SETTLE_SHARE)),
    measure: (contender) => measure(contender, scene.events),
  };
}

type Load = Omit<FloodScene, 'name' | 'title' | 'goal'>;

async function flood(contender: Contender, load: Load, { progress }: Benches): Promise<DriftwireRun> {
  return runDriftwire(await sceneOf(contender, load.endpoints), load, progress);
}

export function createRest({ progress }: Benches): Player {
  const measure = async (contender: Contender, seconds: number) => {
    const { stack, receivers } = contender.bench;
    const scene = await sceneOf(contender, 1);
    receivers.forget();
    const { result: posted, costs } = await measureCosts(stack, async () => {
      const pace = { perSecond: REST.eventsPerSecond, seconds, progress };
      const events = await postSteadily(scene.call, [scene.customerId], pace);
      await withSession(stack.databaseUrl, untilAllRecorded);
      return events;
    });
    refuseLosses(receivers, posted.length);
    return {
      cpuMs: perUnit(costs, posted.length),
      perSecond: posted.length / seconds,
      latencyMs: latencyOf(posted, receivers),
    };
  };
  return {
    warmUp: (contender) => measure(contender, REST_WARM_UP_S),
    settle: (contender) => measure(contender, REST_SETTLE_S),
    measure: (contender) => measure(contender, REST_S),
  };
}

/** A customer for each number of endpoints, made when it is first needed. */
async function sceneOf({ bench, scenes }: Contender, endpoints: number): Promise<Scene> {
  const known = scenes.get(endpoints);
  if (known) return known;
  const { stack, receivers } = bench;
  const scene = await setScene(stack, { ...receivers, urls: receivers.urls.slice(0, endpoints) });
  scenes.set(endpoints, scene);
  return scene;
}

function perUnit({ api, worker, postgres, redis }: Costs, units: number): ByProcess {
  return {
    api: api.cpuMs / units,
    worker: worker.cpuMs / units,
    postgres: postgres.cpuMs / units,
    redis: redis.cpuMs / units,
  };
}
