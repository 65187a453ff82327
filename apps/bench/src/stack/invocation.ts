import { isNativeError } from 'node:util/types';
import { CannotStart } from '@driftwire/local-servers';
import type { Output } from '@driftwire/terminal';

/** How a command of this app is run: by its script, or by a test. */
export type Invocation = {
  args: string[];
  env: Record<string, string | undefined>;
  /** The project's top directory. */
  root: string;
  stdout: Output;
  stderr: Output;
  /** Told to stop. */
  stop: AbortSignal;
};

export const INTERRUPTED = 130;
export const MISUSED = 2;

/** A line for what a person can mend; where it happened for what only we can. */
export function describeProblem(error: unknown): string {
  if (error instanceof CannotStart) return error.message;
  return isNativeError(error) ? `${error.stack}` : `${error}`;
}
