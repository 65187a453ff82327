import { until } from '@driftwire/local-servers';
import { type Session, withSession } from '../stack/database-session.js';
import { redisSession } from '../stack/redis-session.js';
import { measureCosts } from './costs.js';
import { PATIENCE } from './deep-scene.js';
import { addHeldDeliveries, openCircuit } from './held-rows.js';
import type { BesideRow, Figure, Findings } from './isolation-findings.js';
import { MILLION_HELD } from './isolation-scenes.js';
import { type IsolationStage, type IsolationTools, MEASURED_S, withIsolationStage } from './isolation-stage.js';
import { passSeconds } from './passing-time.js';
import { tidyTables } from './past-deliveries.js';
import { datasetBytes } from './storage-bytes.js';

const HELD = 1_000_000;
const FIRST = 20_000;
const FIRST_WITHIN_MS = 120_000;
const SETTLE_S = 10;
const IDLE_S = 20;
const MOST_MB = 10;
const MOST_PERCENT = 5;

/** A million deliveries of one endpoint wait in Postgres; Redis is wiped meanwhile; and then they may go. */
export function measureMillionHeld(tools: IsolationTools): Promise<Findings> {
  return withIsolationStage(tools, { healthy: 10, bad: 1 }, async (stage) => {
    const before = await measureRest(stage, tools);
    await holdMillion(stage, tools);
    const during = await measureRest(stage, tools);
    tools.say('Redis is wiped');
    const [besideHeld] = await Promise.all([
      stage.measureBeside(`${MILLION_HELD.title}, Redis wiped`),
      wipeRedis(stage, tools.stop),
    ]);
    const redisMb = Math.max(during.redisMb, await readRedisMb(stage));
    tools.say('the circuit is closed');
    const [firstS, besideReleased] = await measureRelease(stage, tools.stop);
    const figures = figuresOf({ before, during: { ...during, redisMb }, firstS });
    return { rows: [besideHeld, besideReleased], figures };
  });
}

/** Of one core. */
type Rest = { workerPercent: number; postgresPercent: number; redisMb: number };

async function measureRest(stage: IsolationStage, { say, progress, stop }: IsolationTools): Promise<Rest> {
  say(`nothing, for ${IDLE_S} s`);
  await passSeconds(SETTLE_S, stop);
  const { costs } = await measureCosts(stage.stack, () => passSeconds(IDLE_S, stop, progress));
  const percentOf = (kind: 'worker' | 'postgres') => costs[kind].cpuMs / (IDLE_S * 10);
  return {
    workerPercent: percentOf('worker'),
    postgresPercent: percentOf('postgres'),
    redisMb: await readRedisMb(stage),
  };
}

async function holdMillion({ stack, badCustomers }: IsolationStage, { say, progress }: IsolationTools): Promise<void> {
  say(MILLION_HELD.title);
  const [owner] = badCustomers;
  if (owner === undefined) throw new Error('nobody is there whose deliveries could be held');
  const hold = async (session: Session) => {
    await openCircuit(session, owner);
    await addHeldDeliveries(session, owner, HELD, progress);
    await tidyTables(session);
  };
  await withSession(stack.databaseUrl, hold, PATIENCE);
}

/** In the middle of what is measured. */
async function wipeRedis({ stack }: IsolationStage, stop: AbortSignal): Promise<void> {
  await passSeconds(MEASURED_S / 2, stop);
  await redisSession(stack.redisUrl, (redis) => redis.flushall());
}

function readRedisMb({ stack }: IsolationStage): Promise<number> {
  return redisSession(stack.redisUrl, async (redis) => datasetBytes(await redis.info('memory')) / 1e6);
}

/** How long the first of them take, and how others fare meanwhile. */
async function measureRelease(
  { call, badReceivers, badCustomers, measureBeside }: IsolationStage,
  signal: AbortSignal,
): Promise<[number, BesideRow]> {
  const closedAt = performance.now();
  const firstArrive = async () => {
    const haveArrived = () => badReceivers.arrivals.length >= FIRST;
    await until(haveArrived, { deadlineMs: FIRST_WITHIN_MS, signal });
    return ((badReceivers.arrivals[FIRST - 1]?.at ?? Infinity) - closedAt) / 1_000;
  };
  await Promise.all(badCustomers.map(({ endpointId }) => call('POST', `/v1/endpoints/${endpointId}/close-circuit`)));
  return Promise.all([firstArrive(), measureBeside(`${MILLION_HELD.title}, let go`)]);
}

type Measured = { before: Rest; during: Rest; firstS: number };

function figuresOf({ before, during, firstS }: Measured): Figure[] {
  const scene = MILLION_HELD.title;
  const [worker, postgres] = ['worker at rest, % of a core', 'Postgres at rest, % of a core'];
  const moreOfWorker = during.workerPercent - before.workerPercent;
  return [
    { scene, what: "Redis's dataset grows by", value: during.redisMb - before.redisMb, unit: 'MB', most: MOST_MB },
    { scene, what: `${worker}, before`, value: before.workerPercent, unit: '' },
    { scene, what: `${worker}, more`, value: moreOfWorker, unit: '', most: MOST_PERCENT },
    { scene, what: `${postgres}, before`, value: before.postgresPercent, unit: '' },
    { scene, what: `${postgres}, more`, value: during.postgresPercent - before.postgresPercent, unit: '' },
    { scene, what: `the first ${FIRST.toLocaleString('en')} delivered after`, value: firstS, unit: 's' },
    { scene, what: 'of these a second', value: FIRST / firstS, unit: '' },
  ];
}
