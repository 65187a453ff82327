import type { Findings } from './isolation-findings.js';
import type { BesideScene } from './isolation-scenes.js';
import { type IsolationStage, type IsolationTools, MEASURED_S, withIsolationStage } from './isolation-stage.js';
import { flood } from './load.js';
import { postSteadily } from './steady-load.js';

const BATCHES = { perRequest: 500, requestsAtOnce: 4 };

/** How others fare beside receivers that are slow, or get much. */
export function measureBesideBad(scene: BesideScene, tools: IsolationTools): Promise<Findings> {
  return withIsolationStage(tools, scene, async (stage) => {
    tools.say(scene.title);
    const [row] = await Promise.all([
      stage.measureBeside(scene.title, { limit: scene.limit, afterS: scene.fromS }),
      burden(scene, stage, tools.stop),
    ]);
    return { rows: [row], figures: [] };
  });
}

async function burden(scene: BesideScene, { call, badCustomers }: IsolationStage, stop: AbortSignal): Promise<void> {
  const ids = badCustomers.map(({ customerId }) => customerId);
  const events = scene.flood / ids.length;
  await Promise.all(ids.map((customerId) => flood(call, { ...BATCHES, customerId, events })));
  const seconds = scene.fromS + MEASURED_S;
  await postSteadily(call, ids, { perSecond: scene.tricklePerSecond, seconds, progress: () => stop.throwIfAborted() });
}
