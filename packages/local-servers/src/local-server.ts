import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CannotStart } from './cannot-start.js';
import { hasEnded, killGroup } from './process-group.js';
import type { ServerCommand } from './server-command.js';
import { until } from './until.js';

export type LocalServer = { url: string; port: number; pid: number; stop: () => Promise<void> };

export type Launch = {
  name: string;
  command: ServerCommand;
  isReady: (pid: number) => Promise<boolean>;
  stopSignal: NodeJS.Signals;
  logFile: string;
};

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 10_000;

/**
 * One server for one program (tests, measurements): started, ready, stoppable. It runs in a process group of its own so
 * that Ctrl-C does not stop it under its user, and is killed when the program exits without having stopped it.
 */
export async function startLocalServer(launch: Launch): Promise<{ pid: number; stop: () => Promise<void> }> {
  const child = spawnDetached(launch);
  const killAtExit = () => killGroup(child);
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  const stop = () => stopServer(child, launch.stopSignal);
  let failure = '';
  child.once('error', (error) => {
    failure = error.message;
  });
  const { pid } = child;
  const settled = async () => pid === undefined || hasEnded(child) || (await launch.isReady(pid));
  const inTime = await until(settled, { deadlineMs: READY_WITHIN_MS });
  if (inTime && pid !== undefined && !hasEnded(child)) return { pid, stop };
  await stop();
  throw new CannotStart(`${launch.name} did not start: ${failure || lastLines(launch.logFile)}`);
}

/** The log is a file and not a pipe: a pipe nobody drains would block the server, one we drain would keep us alive. */
function spawnDetached({ command, logFile }: Launch): ChildProcess {
  const log = openSync(logFile, 'w');
  const { file, args, ...options } = command;
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  return child;
}

async function stopServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  child.ref();
  child.kill(signal);
  if (await until(() => hasEnded(child), { deadlineMs: STOPPED_WITHIN_MS })) return;
  killGroup(child);
  await until(() => hasEnded(child), { deadlineMs: STOPPED_WITHIN_MS });
}

function lastLines(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join(' | ') || 'it said nothing';
}
