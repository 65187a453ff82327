import { setTimeout as pause } from 'node:timers/promises';
import type { Checkout } from '../stack/checkout.js';
import { withSession } from '../stack/database-session.js';
import { type BareGotRun, withBareGot } from './baseline-runs.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { FLOOD_SCENES, type FloodScene, IDLE, REST } from './cost-scenes.js';
import { type Costs, measureCosts } from './costs.js';
import { latencyOf, refuseLosses, runDriftwire, type Scene, setScene, untilAllRecorded } from './driftwire-run.js';
import { postSteadily } from './latency.js';
import { type OwnMemory, readOwnMemory } from './own-memory.js';
import { tidyTables } from './past-deliveries.js';
import type { Percentiles } from './quantiles.js';
import { readOneBody } from './throughput.js';

export type ByProcess = Record<keyof Costs, number>;

export type SceneCost = {
  name: string;
  /** Processor time a delivery, in milliseconds. */
  cpuMs: ByProcess;
  /** Of a bare got request: the mean of the loop before and the one after. */
  bareMs: number;
  perSecond: number;
  latencyMs: Percentiles;
};

export type Idle = { cpuPercent: ByProcess; memoryMiB: { before: OwnMemory; after: OwnMemory } };

export type Side = { checkout: string; idle: Idle | undefined; scenes: SceneCost[] };

export type CostRun = { sides: Side[] };

/** Also what its memory is looked at after. */
const WARM_UP: FloodScene = {
  name: 'warm-up',
  title: '',
  endpoints: 1,
  events: 5_000,
  perRequest: 1,
  requestsAtOnce: 32,
};
/** Of each scene, uncounted, before it is measured. */
const WARM_UP_SHARE = 0.2;
const MOST_ENDPOINTS = 10;
const BARE_AT_ONCE = 64;
const BARE_WARM_UP = 10_000;
const BARE_REQUESTS = 4_000;
const REST_WARM_UP_S = 6;
const REST_S = 20;
const IDLE_S = 20;

/** A checkout that is up, with the customers of its scenes. */
type Contender = { checkout: Checkout; bench: Bench; scenes: Map<number, Scene> };

/** What a delivery costs, in every scene, checkout by checkout, and a loop of bare got before and after each. */
export function measureCost(benches: Benches, command: BenchRun, checkouts: readonly Checkout[]): Promise<CostRun> {
  return withContenders(benches, { command, checkouts }, (contenders) => measureAll(contenders, benches, command.only));
}

type Line = { command: BenchRun; checkouts: readonly Checkout[] };

/** All up at the same time: what is compared sees the same machine. */
async function withContenders<T>(
  benches: Benches,
  { command, checkouts: [checkout, ...others] }: Line,
  use: (contenders: Contender[]) => Promise<T>,
): Promise<T> {
  if (checkout === undefined) return use([]);
  const size = { workers: command.workers, receivers: MOST_ENDPOINTS, root: checkout.root };
  return benches.withBench(size, (bench) =>
    withContenders(benches, { command, checkouts: others }, (more) =>
      use([{ checkout, bench, scenes: new Map() }, ...more]),
    ),
  );
}

async function measureAll(contenders: Contender[], benches: Benches, only: readonly string[]): Promise<CostRun> {
  const idles = await warmUp(contenders, benches, only.includes(IDLE.name));
  const costs = new Map(contenders.map((contender) => [contender, [] as SceneCost[]]));
  await withYardstick(contenders, benches, async (measureBare) => {
    let before = await measureBare();
    for (const scene of [...FLOOD_SCENES, REST].filter(({ name }) => only.includes(name))) {
      for (const contender of contenders) {
        benches.say(`${scene.title}, ${contender.checkout.name}`);
        const cost = await ('events' in scene
          ? measureFlood(contender, scene, benches)
          : measureRest(contender, benches));
        const after = await measureBare();
        const bareMs = (before.cpuMsPerRequest + after.cpuMsPerRequest) / 2;
        costs.get(contender)?.push({ ...cost, name: scene.name, bareMs });
        before = after;
      }
    }
  });
  const sides = contenders.map((contender, index) => ({
    checkout: contender.checkout.name,
    idle: idles[index],
    scenes: costs.get(contender) ?? [],
  }));
  return { sides };
}

/** What they take before there was anything to do, and after the first events. */
async function warmUp(contenders: Contender[], benches: Benches, isIdleWanted: boolean): Promise<(Idle | undefined)[]> {
  const before = contenders.map(({ bench }) => readOwnMemory(bench.stack));
  const cpuPercents = isIdleWanted ? await measureIdle(contenders, benches) : [];
  const after: OwnMemory[] = [];
  for (const contender of contenders) {
    benches.say(`warming up ${contender.checkout.name}`);
    await flood(contender, WARM_UP, benches);
    after.push(readOwnMemory(contender.bench.stack));
  }
  return contenders.map((_, index) => {
    const [cpuPercent, memoryBefore, memoryAfter] = [cpuPercents[index], before[index], after[index]];
    if (!cpuPercent || !memoryBefore || !memoryAfter) return undefined;
    return { cpuPercent, memoryMiB: { before: memoryBefore, after: memoryAfter } };
  });
}

/** All of them at the same time, which are all idle. */
async function measureIdle(contenders: Contender[], { say, progress }: Benches): Promise<ByProcess[]> {
  say(`nothing, for ${IDLE_S} s`);
  const idle = (async () => {
    for (let second = 1; second <= IDLE_S; second += 1) {
      await pause(1_000);
      progress(second, IDLE_S);
    }
  })();
  const measured = await Promise.all(contenders.map(({ bench }) => measureCosts(bench.stack, () => idle)));
  return measured.map(({ costs }) => perUnit(costs, IDLE_S * 10));
}

/** One bare got loop for the whole run, warm, against the first receiver there is. */
async function withYardstick(
  [first]: Contender[],
  { say }: Benches,
  use: (measure: () => Promise<BareGotRun>) => Promise<void>,
): Promise<void> {
  if (first === undefined) return;
  const body = await withSession(first.bench.stack.databaseUrl, readOneBody);
  const receivers = { urls: first.bench.receivers.urls.slice(0, 1) };
  await withBareGot({ receivers, body, atOnce: BARE_AT_ONCE }, async (run) => {
    say('warming up bare got');
    await run(BARE_WARM_UP);
    await use(() => run(BARE_REQUESTS));
  });
}

type Measured = Omit<SceneCost, 'name' | 'bareMs'>;

async function measureFlood(contender: Contender, scene: FloodScene, benches: Benches): Promise<Measured> {
  await flood(contender, { ...scene, events: Math.round(scene.events * WARM_UP_SHARE) }, benches);
  // Or autovacuum would do it at a moment of its own, within one measurement or another.
  await withSession(contender.bench.stack.databaseUrl, tidyTables);
  const { costs, deliveries, perSecond, latencyMs } = await flood(contender, scene, benches);
  return { cpuMs: perUnit(costs, deliveries), perSecond, latencyMs };
}

async function flood(contender: Contender, scene: FloodScene, { progress }: Benches) {
  return runDriftwire(await sceneOf(contender, scene.endpoints), scene, progress);
}

async function measureRest(contender: Contender, { progress }: Benches): Promise<Measured> {
  const { stack, receivers } = contender.bench;
  const scene = await sceneOf(contender, 1);
  const post = async (seconds: number) => {
    const posted = await postSteadily(scene, { eventsPerSecond: REST.eventsPerSecond, seconds, progress });
    await withSession(stack.databaseUrl, untilAllRecorded);
    return posted;
  };
  await post(REST_WARM_UP_S);
  await withSession(stack.databaseUrl, tidyTables);
  receivers.forget();
  const { result: posted, costs } = await measureCosts(stack, () => post(REST_S));
  refuseLosses(receivers, posted.length);
  const latencyMs = latencyOf(posted, receivers);
  return { cpuMs: perUnit(costs, posted.length), perSecond: posted.length / REST_S, latencyMs };
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
