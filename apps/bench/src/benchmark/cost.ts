import type { Checkout } from '../stack/checkout.js';
import { withSession } from '../stack/database-session.js';
import { type BareGotRun, withBareGot } from './baseline-runs.js';
import type { Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import { type Contender, createFlood, createRest, type Player, type SceneCost, warmUp } from './cost-players.js';
import { FLOOD_SCENES, IDLE, REST } from './cost-scenes.js';
import { nowUs, type Window } from './cpu-profile.js';
import { type Idle, measureIdle } from './idle.js';
import { tidyTables } from './past-deliveries.js';
import { readOneBody } from './throughput.js';

/** What a delivery cost in one turn of a scene. */
export type TurnCost = SceneCost & {
  scene: string;
  /** Of a bare got request: the mean of the loop before and the one after. */
  bareMs: number;
  /** When it was, for a profile. */
  window: Window;
};

export type Side = { checkout: string; idle: Idle | undefined; turns: TurnCost[] };

export type CostRun = { sides: Side[] };

const MOST_ENDPOINTS = Math.max(...FLOOD_SCENES.map(({ endpoints }) => endpoints));
const BARE_AT_ONCE = 64;
const BARE_WARM_UP = 10_000;
const BARE_REQUESTS = 3_000;

/** What a delivery costs: every scene in turns, checkout by checkout. And what Driftwire takes by being there. */
export async function measureCost(
  benches: Benches,
  command: BenchRun,
  checkouts: readonly Checkout[],
): Promise<CostRun> {
  const idles = command.only.includes(IDLE.name) ? await measureIdle(checkouts, benches) : [];
  const turns = await withContenders(benches, { command, checkouts }, (contenders) =>
    measureTurns(contenders, benches, command),
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

async function measureTurns(
  contenders: Contender[],
  benches: Benches,
  { only, turns: count }: Pick<BenchRun, 'only' | 'turns'>,
): Promise<Turn[]> {
  const scenes = [...FLOOD_SCENES, REST].filter(({ name }) => only.includes(name));
  if (scenes.length === 0) return [];
  for (const contender of contenders) await warmUp(contender, benches);
  return withYardstick(contenders, benches, async (measureBare) => {
    const turns: Turn[] = [];
    for (const scene of scenes) {
      const player = 'events' in scene ? createFlood(scene, benches) : createRest(benches);
      turns.push(...(await takeTurns(contenders, { scene, count, player, measureBare, benches })));
    }
    return turns;
  });
}

type Turn = { checkout: Checkout; cost: TurnCost };
type Play = {
  scene: { name: string; title: string };
  /** Turns of each. */
  count: number;
  player: Player;
  measureBare: () => Promise<BareGotRun>;
  benches: Benches;
};

/** There and back, so that nobody is always the first, with bare got before and after each. */
async function takeTurns(
  contenders: readonly Contender[],
  { scene, count, player, measureBare, benches: { say } }: Play,
): Promise<Turn[]> {
  say(scene.title);
  for (const contender of contenders) await player.warmUp(contender);
  const turns: Turn[] = [];
  let before = await measureBare();
  for (let number = 1; number <= count; number += 1) {
    for (const contender of number % 2 === 1 ? contenders : contenders.toReversed()) {
      say(`${scene.title}, ${number} of ${count}, ${contender.checkout.name}`);
      // Or autovacuum would do it at a moment of its own, within one measurement or another.
      await withSession(contender.bench.stack.databaseUrl, tidyTables);
      await player.settle(contender);
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
