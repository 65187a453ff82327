import type { LiveScreen, Paint } from '@driftwire/terminal';
import { withSession } from '../stack/database-session.js';
import { describeMachine } from '../stack/machine.js';
import { strike } from '../stack/process-keeper.js';
import { withRunDirectory } from '../stack/run-directory.js';
import { type Stack, withStack } from '../stack/stack.js';
import { openChaosApi } from './chaos-api.js';
import type { Sabotage } from './command-line.js';
import { conclude } from './conclusion.js';
import { watchHeld } from './held-watch.js';
import { readHistory } from './history.js';
import type { Violation } from './oracle/evidence.js';
import { readOrphans } from './orphan-rows.js';
import { perform, type Stage } from './performance.js';
import { type Receivers, startReceivers } from './receivers.js';
import { setScene } from './scene.js';
import type { Settings } from './settings.js';
import { findSocketOwner } from './socket-owner.js';
import {
  APIS,
  CIRCUIT_AFTER_MS,
  CIRCUIT_PROBE_MS,
  MAX_ATTEMPTS,
  REQUEST_TIMEOUT_MS,
  RETRY_BASE_DELAY_MS,
  WORKER_CONCURRENCY,
} from './stack-limits.js';
import type { Observed } from './verdict.js';
import { showProgress } from './watch.js';

export type ChaosOptions = {
  settings: Settings;
  root: string;
  screen: LiveScreen;
  isTerminal: boolean;
  paint: Paint;
  stop: AbortSignal;
};

/** The promises that were broken. Rejects when told to stop. Nothing it started is left by then. */
export async function runChaos(options: ChaosOptions): Promise<Violation[]> {
  const { settings, root, screen, stop: signal } = options;
  screen.say(
    `Chaos with seed ${settings.seed}: ${settings.events} events, ${settings.plan.length} faults, ${settings.workers} workers`,
  );
  return withRunDirectory(settings.keep, screen.say, async (directory) => {
    let violations: Violation[] = [];
    const say = screen.say;
    await withStack({ ...stackOptions(settings), root, directory, signal, say }, async (stack) => {
      await withReceivers(settings, stack, async (receivers) => {
        const observed = await observe(options, stack, receivers);
        violations = conclude(options, observed, await describeMachine(stack));
      });
    });
    return { result: violations, isWorthKeeping: violations.length > 0 };
  });
}

function stackOptions({ workers, sabotage }: Settings) {
  return {
    apis: APIS,
    workers,
    env: {
      REQUEST_TIMEOUT_MS: `${REQUEST_TIMEOUT_MS}`,
      MAX_ATTEMPTS: `${MAX_ATTEMPTS}`,
      RETRY_BASE_DELAY_MS: `${RETRY_BASE_DELAY_MS}`,
      CIRCUIT_AFTER_MS: `${CIRCUIT_AFTER_MS}`,
      CIRCUIT_PROBE_MS: `${CIRCUIT_PROBE_MS}`,
      WORKER_CONCURRENCY: `${WORKER_CONCURRENCY}`,
    },
    ...sabotaged(sabotage),
  };
}

function sabotaged(promise: Sabotage | undefined) {
  if (promise === undefined) return {};
  return promise === 'release'
    ? { workerScript: 'apps/worker/dist/forgetful-worker.js' }
    : { workerEnv: { SABOTAGE: `no-${promise}` } };
}

async function observe(options: ChaosOptions, stack: Stack, receivers: Receivers): Promise<Observed> {
  const { settings, stop: signal } = options;
  const api = openChaosApi(stack.apiUrls, stack.adminKey);
  const scene = await setScene(api, receivers.endpoints);
  const production = { acknowledged: [], refused: [] };
  const watch = { counts: { deliveries: 0, finished: 0 }, held: { ids: new Set<string>(), mostAtOnce: 0 } };
  const stage: Stage = { settings, stack, receivers, api, scene, production, injected: [], watch, signal };
  await withWatch(options, stage, () => perform(stage));
  const history = {
    ...(await withSession(stack.databaseUrl, readHistory)),
    orphans: await readOrphans(stack.databaseUrl),
  };
  const { requests } = receivers;
  return {
    settings,
    history,
    production,
    requests,
    exits: stack.exits,
    held: watch.held,
    workerLogs: [...stack.exits, ...stack.workers].map(({ logFile }) => logFile),
    injected: stage.injected,
    observedUntil: Date.now(),
  };
}

async function withWatch({ screen, isTerminal }: ChaosOptions, stage: Stage, act: () => Promise<void>): Promise<void> {
  const startedAt = Date.now();
  const { settings, stack, production, injected } = stage;
  const over = new AbortController();
  const soFar = () => ({
    elapsedMs: Date.now() - startedAt,
    totalMs: settings.produceMs,
    acknowledged: production.acknowledged.length,
    events: settings.events + Number(settings.hasPoison),
    injected: injected.length,
    faults: settings.plan.length,
    restarts: stack.exits.length,
  });
  const { databaseUrl } = stack;
  const { signal } = over;
  const watching = Promise.all([
    showProgress({ screen, isTerminal, databaseUrl, soFar, signal }, stage.watch),
    watchHeld(databaseUrl, stage.watch.held, signal),
  ]);
  try {
    await act();
  } finally {
    over.abort();
    await watching;
    screen.settle();
  }
}

async function withReceivers(
  { seed }: Settings,
  stack: Stack,
  use: (receivers: Receivers) => Promise<void>,
): Promise<void> {
  const killSender = (ports: { remotePort: number; localPort: number }) => {
    const pids = stack.workers.flatMap(({ child }) => child?.pid ?? []);
    const pid = findSocketOwner(ports, pids);
    const keeper = stack.workers.find(({ child }) => pid !== undefined && child?.pid === pid);
    if (keeper) strike(keeper, 'SIGKILL', 'kill');
  };
  const receivers = await startReceivers({ seed, killSender });
  try {
    await use(receivers);
  } finally {
    await receivers.close();
  }
}
