import type { ServerCommand } from '@driftwire/local-servers';
import { launch } from './child-process.js';

export type OneOffResult = { code: number | null; reason: string; lines: string[] };

/** Runs a program to its end, unless it is told to stop before. */
export async function runOneOff(command: ServerCommand, signal: AbortSignal): Promise<OneOffResult> {
  signal.throwIfAborted();
  const lines: string[] = [];
  const running = launch(command, (line) => lines.push(line));
  const stop = () => running.kill();
  signal.addEventListener('abort', stop);
  const { code, reason } = await running.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return { code, reason, lines };
}
