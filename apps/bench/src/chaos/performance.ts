import { until } from '@driftwire/local-servers';
import { whenReady } from '../stack/process-keeper.js';
import type { Stack } from '../stack/stack.js';
import { chanceOf } from './chance.js';
import type { ChaosApi } from './chaos-api.js';
import { closeCircuits } from './closing.js';
import { POISON_N, planPosts } from './event-plan.js';
import { type FaultRunner, type InjectedFault, runInTurn, runOverlapping } from './fault-runner.js';
import { INJECTORS } from './faults/injectors.js';
import { pauseEndpoint } from './pausing.js';
import { type Production, postUntilAcknowledged, produce } from './producer.js';
import type { Receivers } from './receivers.js';
import type { Scene } from './scene.js';
import type { Settings } from './settings.js';
import { LEASE_MS } from './stack-limits.js';
import { lookAgain, type Watch } from './watch.js';

export type Stage = {
  settings: Settings;
  stack: Stack;
  receivers: Receivers;
  api: ChaosApi;
  scene: Scene;
  production: Production;
  injected: InjectedFault[];
  watch: Watch;
  signal: AbortSignal;
};

/** How long nothing may end before the rest counts as lost: longer than a lease, a retry and every pause in between. */
const STANDSTILL_MS = LEASE_MS + 60_000;
const LONGEST_MS = 3_600_000;
/** Ten starts, each a lease and a sweep apart. */
const POISON_MS = 330_000;
const PAUSE_AT = 0.4;

/** Events and faults, then peace, until every delivery has ended or the time for that is up. */
export async function perform(stage: Stage): Promise<void> {
  const startedAt = Date.now();
  const { api, scene, receivers, signal } = stage;
  const mend = receivers.putOut('broken', { kind: 'answer', status: 500 });
  await Promise.all([feed(stage), breakThings(stage), pauseOnce(stage)]);
  const { postgres, redis, apis, workers } = stage.stack;
  await Promise.all([postgres, redis, ...apis, ...workers].map((keeper) => whenReady(keeper, signal)));
  mend();
  await closeCircuits({ api, endpointIds: scene.endpointIds.values(), signal });
  await settle(stage, stage.settings.hasPoison ? startedAt + POISON_MS : 0);
  signal.throwIfAborted();
}

/** Until everything has ended or nothing ends any more: a slow machine may take its time. */
async function settle({ stack, watch, signal }: Stage, notBefore: number): Promise<void> {
  let movedAt = Date.now();
  let finished = watch.counts.finished;
  const isOver = async () => {
    const isQuiet = await lookAgain(stack.databaseUrl, watch);
    if (watch.counts.finished !== finished) movedAt = Date.now();
    finished = watch.counts.finished;
    return isQuiet || Date.now() > Math.max(movedAt + STANDSTILL_MS, notBefore);
  };
  await until(isOver, { deadlineMs: LONGEST_MS, everyMs: 500, signal });
}

async function feed(stage: Stage): Promise<void> {
  const { settings, api, scene, production, signal } = stage;
  const { seed, events, produceMs, hasPoison } = settings;
  const producer = { api, seed, customerId: scene.customerId, production, signal };
  if (hasPoison) await postUntilAcknowledged(producer, [POISON_N], 0);
  await produce(producer, planPosts(seed, { events, overMs: produceMs }));
}

function breakThings({ settings, stack, receivers, injected, signal }: Stage): Promise<void> {
  const arena = { stack, receivers };
  const runner: FaultRunner = {
    injected,
    signal,
    inject: (fault, struck) => {
      const chance = chanceOf(settings.seed, 'fault', fault.number);
      return INJECTORS[fault.kind]({ fault, chance, arena, struck, signal });
    },
  };
  return settings.mode === 'mixed' ? runOverlapping(runner, settings.plan) : runInTurn(runner, settings.plan);
}

function pauseOnce({ api, scene, receivers, settings, signal }: Stage): Promise<void> {
  const endpointId = `${scene.endpointIds.get('paused')}`;
  return pauseEndpoint({
    api,
    endpointId,
    requests: receivers.requests,
    afterMs: settings.produceMs * PAUSE_AT,
    signal,
  });
}
