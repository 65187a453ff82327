import type { Checkout } from '../stack/checkout.js';
import { withSession } from '../stack/database-session.js';
import { type BareGotRun, withBareGot } from './baseline-runs.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { FLOOD_SCENES, type FloodScene, IDLE, REST } from './cost-scenes.js';
import { type Costs, measureCosts } from './costs.js';
import { nowUs, type Window } from './cpu-profile.js';
import {
  type DriftwireRun,
  latencyOf,
  refuseLosses,
  runDriftwire,
  type Scene,
  setScene,
  untilAllRecorded,
} from './driftwire-run.js';
import { type Idle, measureIdle } from './idle.js';
import { postSteadily } from './latency.js';
import { tidyTables } from './past-deliveries.js';
import type { Percentiles } from './quantiles.js';
import { readOneBody } from './throughput.js';

export type ByProcess = Record<keyof Costs, number>;

/** What a delivery cost in one turn of a scene. */
export type TurnCost = {
  scene: string;
  /** Processor time a delivery, in milliseconds. */
  cpuMs: ByProcess;
  /** Of a bare got request: the mean of the loop before and the one after. */
  bareMs: number;
  perSecond: number;
  latencyMs: Percentiles;
  /** When it was, for a profile. */
  window: Window;
};

export type Side = { checkout: string; idle: Idle | undefined; turns: TurnCost[] };

export type CostRun = { sides: Side[] };

const WARM_UP: FloodScene = {
  name: 'warm-up',
  title: '',
  endpoints: 1,
  events: 3_000,
  perRequest: 1,
  requestsAtOnce: 32,
};
/** Of each scene, uncounted, before it is measured. */
const WARM_UP_SHARE = 0.4;
const TURNS = 3;
const MOST_ENDPOINTS = 10;
const BARE_AT_ONCE = 64;
const BARE_WARM_UP = 10_000;
const BARE_REQUESTS = 3_000;
const REST_WARM_UP_S = 6;
const REST_S = 8;

/** A checkout that is up, with the customers of its scenes. */
type Contender = { checkout: Checkout; bench: Bench; scenes: Map<number, Scene> };

/** What a delivery costs: every scene in turns, checkout by checkout. And what Driftwire takes by being there. */
export async function measureCost(
  benches: Benches,
  command: BenchRun,
  checkouts: readonly Checkout[],
): Promise<CostRun> {
  const idles = command.only.includes(IDLE.name) ? await measureIdle(checkouts, benches) : [];
  const turns = await withContenders(benches, { command, checkouts }, (contenders) =>
    measureTurns(contenders, benches, command.only),
  );
  const sides = checkouts.map((checkout, index) => ({
    checkout: checkout.name,
    idle: idles[index],
    turns: turns.filter((turn) => turn.checkout === checkout).map(({ cost }) => cost),
  }));
  return { sides };
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

async function measureTurns(contenders: Contender[], benches: Benches, only: readonly string[]): Promise<Turn[]> {
  const scenes = [...FLOOD_SCENES, REST].filter(({ name }) => only.includes(name));
  if (scenes.length === 0) return [];
  await warmUp(contenders, benches);
  return withYardstick(contenders, benches, async (measureBare) => {
    const turns: Turn[] = [];
    for (const scene of scenes) {
      const player = 'events' in scene ? createFlood(scene, benches) : createRest(benches);
      turns.push(...(await takeTurns(contenders, { scene, player, measureBare, benches })));
    }
    return turns;
  });
}

type Turn = { checkout: Checkout; cost: TurnCost };
type Measured = Omit<TurnCost, 'scene' | 'bareMs' | 'window'>;
/** How a scene is played: a while for nothing, then for the record. */
type Player = Record<'warmUp' | 'measure', (contender: Contender) => Promise<Measured>>;
type Play = {
  scene: { name: string; title: string };
  player: Player;
  measureBare: () => Promise<BareGotRun>;
  benches: Benches;
};

/** There and back, so that nobody is always the first, with bare got before and after each. */
async function takeTurns(
  contenders: readonly Contender[],
  { scene, player, measureBare, benches: { say } }: Play,
): Promise<Turn[]> {
  say(scene.title);
  for (const contender of contenders) await player.warmUp(contender);
  const turns: Turn[] = [];
  let before = await measureBare();
  for (let number = 1; number <= TURNS; number += 1) {
    for (const contender of number % 2 === 1 ? contenders : contenders.toReversed()) {
      say(`${scene.title}, ${number} of ${TURNS}, ${contender.checkout.name}`);
      // Or autovacuum would do it at a moment of its own, within one measurement or another.
      await withSession(contender.bench.stack.databaseUrl, tidyTables);
      const fromUs = nowUs();
      const measured = await player.measure(contender);
      const window = { fromUs, toUs: nowUs() };
      const after = await measureBare();
      const bareMs = (before.cpuMsPerRequest + after.cpuMsPerRequest) / 2;
      turns.push({ checkout: contender.checkout, cost: { ...measured, scene: scene.name, bareMs, window } });
      before = after;
    }
  }
  return turns;
}

async function warmUp(contenders: readonly Contender[], benches: Benches): Promise<void> {
  for (const contender of contenders) {
    benches.say(`warming up ${contender.checkout.name}`);
    await flood(contender, WARM_UP, benches);
  }
}

/** One bare got loop for the whole run, warm, against the first receiver there is. */
async function withYardstick<T>(
  [first]: Contender[],
  { say }: Benches,
  use: (measure: () => Promise<BareGotRun>) => Promise<T>,
): Promise<T> {
  if (first === undefined) throw new Error('nothing is measured');
  const body = await withSession(first.bench.stack.databaseUrl, readOneBody);
  const receivers = { urls: first.bench.receivers.urls.slice(0, 1) };
  return withBareGot({ receivers, body, atOnce: BARE_AT_ONCE }, async (run) => {
    say('warming up bare got');
    await run(BARE_WARM_UP);
    return use(() => run(BARE_REQUESTS));
  });
}

function createFlood(scene: FloodScene, benches: Benches): Player {
  const measure = async (contender: Contender, events: number) => {
    const { costs, deliveries, perSecond, latencyMs } = await flood(contender, { ...scene, events }, benches);
    return { cpuMs: perUnit(costs, deliveries), perSecond, latencyMs };
  };
  return {
    warmUp: (contender) => measure(contender, Math.round(scene.events * WARM_UP_SHARE)),
    measure: (contender) => measure(contender, scene.events),
  };
}

async function flood(contender: Contender, scene: FloodScene, { progress }: Benches): Promise<DriftwireRun> {
  return runDriftwire(await sceneOf(contender, scene.endpoints), scene, progress);
}

function createRest({ progress }: Benches): Player {
  const measure = async (contender: Contender, seconds: number) => {
    const { stack, receivers } = contender.bench;
    const scene = await sceneOf(contender, 1);
    receivers.forget();
    const { result: posted, costs } = await measureCosts(stack, async () => {
      const events = await postSteadily(scene, { eventsPerSecond: REST.eventsPerSecond, seconds, progress });
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
