import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { killGroup, type ServerCommand } from '@driftwire/local-servers';

/** `reason` reads after "died": "exit code 1", "SIGKILL", or why it could not even start. */
export type Ending = { code: number | null; reason: string };
export type Stream = 'stdout' | 'stderr';

export type RunningChild = {
  pid: number | undefined;
  ended: Promise<Ending>;
  signal: (name: NodeJS.Signals) => void;
  kill: () => void;
};

/**
 * A child in a process group and session of its own: Ctrl-C reaches the whole group of the terminal, and these have an
 * order to stop in.
 */
export function launch(command: ServerCommand, onLine: (line: string, stream: Stream) => void): RunningChild {
  const { file, args, ...options } = command;
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(line, 'stdout'));
  createInterface({ input: child.stderr }).on('line', (line) => onLine(line, 'stderr'));
  return {
    pid: child.pid,
    ended: awaitEnd(child),
    signal: (name) => child.kill(name),
    kill: () => killGroup(child),
  };
}

async function awaitEnd(child: ChildProcess): Promise<Ending> {
  const ending = await awaitExit(child);
  // Its last words may still be in the pipes. They are not waited for long: a surviving grandchild keeps them open.
  await Promise.race([once(child, 'close'), pause(200)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return ending;
}

function awaitExit(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, reason: error.message }));
    child.once('exit', (code, signal) => resolve({ code, reason: signal ?? `exit code ${code}` }));
  });
}
