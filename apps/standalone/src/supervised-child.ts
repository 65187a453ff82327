import { setTimeout as pause } from 'node:timers/promises';
import { CannotStart, until } from '@driftwire/local-servers';
import type { Screen } from '@driftwire/terminal';
import { type ChildLog, createChildLog } from './child-log.js';
import { type ChildPlan, EX_CONFIG } from './child-plan.js';
import { type Ending, launch, type RunningChild } from './child-process.js';
import type { ChildRecords } from './child-records.js';
import { ConfigurationProblem } from './configuration-problem.js';
import { decideRestart } from './restart-policy.js';

export type ChildDeps = {
  screen: Screen;
  records: Pick<ChildRecords, 'add' | 'remove'>;
  /** Told, once, of what no restart will mend. */
  fail: (problem: unknown) => void;
};

export type SupervisedChild = {
  /** Resolves when the child is ready for the first time, rejects when it does not get there in time. */
  whenReady: (signal: AbortSignal) => Promise<void>;
  stop: () => Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const DEATHS_BEFORE_READY = 3;

/**
 * Keeps one child running until it is told to stop: whatever dies starts again. Only before it has been ready once does
 * it give up, so that a stack that cannot work says so instead of trying for ever.
 */
export function superviseChild(plan: ChildPlan, deps: ChildDeps): SupervisedChild {
  const life: Life = {
    log: createChildLog(plan.name, deps.screen),
    stopping: new AbortController(),
    running: undefined,
    wasReady: false,
    deaths: 0,
    obstacle: 'it has not answered',
    problem: undefined,
  };
  const over = keepRunning(plan, deps, life).catch((problem) => {
    life.problem = problem;
    deps.fail(problem);
  });
  return {
    whenReady: (signal) => awaitReady(plan, life, signal),
    async stop() {
      life.stopping.abort();
      await endRun(plan, deps, life);
      await over;
    },
  };
}

type Life = {
  log: ChildLog;
  stopping: AbortController;
  running: RunningChild | undefined;
  wasReady: boolean;
  deaths: number;
  obstacle: string;
  problem: unknown;
};

async function keepRunning(plan: ChildPlan, deps: ChildDeps, life: Life): Promise<void> {
  const { signal } = life.stopping;
  for (let quickDeaths = 0; !signal.aborted; ) {
    const bornAt = Date.now();
    const ending = await run(plan, deps, life);
    if (signal.aborted) return;
    refuseToGoOn(plan, life, ending);
    const restart = decideRestart(Date.now() - bornAt, quickDeaths);
    quickDeaths = restart.quickDeaths;
    reportDeath(plan, deps, life, ending);
    await pause(restart.delayMs, undefined, { signal }).catch(() => {});
  }
}

/** One life of the child, from its start to its end. */
async function run(plan: ChildPlan, { records, fail }: ChildDeps, life: Life): Promise<Ending> {
  life.log.hold();
  const running = launch(plan.command(), life.log.line);
  life.running = running;
  const { pid } = running;
  if (pid !== undefined) {
    records.add(plan.name, pid);
    watchReadiness(plan, life, { running, pid }).catch(fail);
  }
  const ending = await running.ended;
  life.running = undefined;
  if (pid !== undefined) records.remove(pid);
  return ending;
}

async function watchReadiness(plan: ChildPlan, life: Life, { running, pid }: { running: RunningChild; pid: number }) {
  const isCurrent = () => life.running === running && !life.stopping.signal.aborted;
  const settled = async () => {
    const obstacle = isCurrent() ? await plan.findObstacle(pid) : undefined;
    life.obstacle = obstacle ?? life.obstacle;
    return obstacle === undefined;
  };
  await until(settled, { deadlineMs: Number.POSITIVE_INFINITY, everyMs: 50 });
  if (!isCurrent()) return;
  life.wasReady = true;
  life.log.release();
}

async function awaitReady(plan: ChildPlan, life: Life, signal: AbortSignal): Promise<void> {
  const settled = () => life.wasReady || life.deaths >= DEATHS_BEFORE_READY || life.problem !== undefined;
  await until(settled, { deadlineMs: READY_WITHIN_MS, signal });
  signal.throwIfAborted();
  if (life.problem !== undefined) throw life.problem;
  if (life.wasReady) return;
  const reason = life.log.held().slice(-5).join(' | ') || life.obstacle;
  throw new CannotStart(`${plan.name} did not start: ${reason}`);
}

function refuseToGoOn({ name }: ChildPlan, { log }: Life, { code }: Ending): void {
  if (code === EX_CONFIG) throw new ConfigurationProblem(log.held().join('\n') || `${name} refuses its configuration`);
}

function reportDeath({ name }: ChildPlan, { screen }: ChildDeps, life: Life, { reason }: Ending): void {
  life.deaths++;
  if (!life.wasReady) return;
  for (const line of life.log.held()) screen.complain(`${name} | ${line}`);
  screen.complain(`${name} died (${reason}); starting it again`);
}

async function endRun({ name, stopSignal, graceMs }: ChildPlan, { screen }: ChildDeps, life: Life): Promise<void> {
  const { running, log } = life;
  if (!running) return;
  log.hold();
  running.signal(stopSignal);
  const isGone = () => life.running !== running;
  if (!(await until(isGone, { deadlineMs: graceMs }))) {
    screen.complain(`${name} did not stop within ${graceMs / 1_000} s and was killed`);
    running.kill();
  }
  const { code } = await running.ended;
  if (code !== 0) for (const line of log.held()) screen.complain(`${name} | ${line}`);
}
