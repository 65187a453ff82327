import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { killGroup, type ServerCommand, until } from '@driftwire/local-servers';

export type Program = {
  name: string;
  logDir: string;
  /** Asked before every start. */
  command: () => ServerCommand;
  isReady: (pid: number) => Promise<boolean>;
};

/** `cause`: what chaos did to it. `stop` asks politely and expects exit code 0; `kill` expects nothing. */
export type Cause = 'none' | 'stop' | 'kill';
export type Exit = {
  name: string;
  at: number;
  code: number | null;
  signal: string | null;
  cause: Cause;
  logFile: string;
};

/** A process that is started again, a quarter of a second after each end, until the keeper ends it or keeps it down. */
export type Keeper = {
  program: Program;
  child: ChildProcess | undefined;
  logFile: string;
  isReady: boolean;
  isFrozen: boolean;
  isKeptDown: boolean;
  isEnding: boolean;
  starts: number;
  cause: Cause;
  onExit: (exit: Exit) => void;
};

const RESTART_AFTER_MS = 250;
const READY_WITHIN_MS = 30_000;
const ENDED_WITHIN_MS = 10_000;

export function keep(program: Program, onExit: (exit: Exit) => void): Keeper {
  const flags = { isReady: false, isFrozen: false, isKeptDown: false, isEnding: false };
  const keeper: Keeper = { ...flags, program, child: undefined, logFile: '', starts: 0, cause: 'none', onExit };
  start(keeper);
  return keeper;
}

export async function whenReady(keeper: Keeper, signal: AbortSignal): Promise<void> {
  const isUp = await until(() => keeper.isReady, { deadlineMs: READY_WITHIN_MS, signal });
  signal.throwIfAborted();
  if (!isUp)
    throw new Error(`${keeper.program.name} was not ready within ${READY_WITHIN_MS / 1_000} s: see ${keeper.logFile}`);
}

/** `cause` is noted first: the exit may come at once. A kill outranks the stop before it. */
export function strike(keeper: Keeper, signal: NodeJS.Signals, cause: Exclude<Cause, 'none'>): void {
  if (keeper.child?.pid === undefined) return;
  if (keeper.cause !== 'kill') keeper.cause = cause;
  keeper.isReady = false;
  keeper.child.kill(signal);
}

/** Kills it and leaves it ended until `bringUp`: nobody listens at its port meanwhile. */
export async function keepDown(keeper: Keeper): Promise<void> {
  keeper.isKeptDown = true;
  strike(keeper, 'SIGKILL', 'kill');
  if (await until(() => keeper.child === undefined, { deadlineMs: ENDED_WITHIN_MS })) return;
  throw new Error(`${keeper.program.name} was killed, and did not end`);
}

/** Returns when it is ready. */
export async function bringUp(keeper: Keeper, signal: AbortSignal): Promise<void> {
  keeper.isKeptDown = false;
  startAgain(keeper);
  await whenReady(keeper, signal);
}

export async function endKeeping(keeper: Keeper, signal: NodeJS.Signals): Promise<void> {
  keeper.isEnding = true;
  strike(keeper, 'SIGCONT', 'kill');
  strike(keeper, signal, 'kill');
  if (await until(() => keeper.child === undefined, { deadlineMs: ENDED_WITHIN_MS })) return;
  if (keeper.child) killGroup(keeper.child);
  await until(() => keeper.child === undefined, { deadlineMs: ENDED_WITHIN_MS });
}

const alive = new Set<ChildProcess>();
// One listener for all of them: Node takes more than ten for a leak.
process.once('exit', () => alive.forEach(killGroup));

/** The log is a file and not a pipe: a pipe would tie the process to how fast we read. */
function start(keeper: Keeper): void {
  const { file, args, ...options } = keeper.program.command();
  keeper.starts += 1;
  keeper.logFile = join(keeper.program.logDir, `${keeper.program.name}.${keeper.starts}.log`);
  const log = openSync(keeper.logFile, 'a');
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  Object.assign(keeper, { child, cause: 'none', isReady: false, isFrozen: false });
  alive.add(child);
  child.once('exit', (code, signal) => {
    alive.delete(child);
    noteExit(keeper, code, signal);
  });
  void watchReadiness(keeper, child);
}

function noteExit(keeper: Keeper, code: number | null, signal: string | null): void {
  const { program, cause, logFile } = keeper;
  Object.assign(keeper, { child: undefined, isReady: false, isFrozen: false });
  if (keeper.isEnding) return;
  keeper.onExit({ name: program.name, at: Date.now(), code, signal, cause, logFile });
  setTimeout(startAgain, RESTART_AFTER_MS, keeper);
}

function startAgain(keeper: Keeper): void {
  if (keeper.child === undefined && !keeper.isKeptDown && !keeper.isEnding) start(keeper);
}

async function watchReadiness(keeper: Keeper, child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const isSettled = async () => keeper.child !== child || (await keeper.program.isReady(pid));
  const settled = await until(isSettled, { deadlineMs: READY_WITHIN_MS, everyMs: 50 });
  if (settled && keeper.child === child && keeper.cause === 'none') keeper.isReady = true;
}
