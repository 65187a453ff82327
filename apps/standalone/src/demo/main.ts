import { isNativeError } from 'node:util/types';
import { CannotStart } from '@driftwire/local-servers';
import { choosePaint, createLiveScreen, type LiveScreen, type Output, type Paint } from '@driftwire/terminal';
import { EX_CONFIG } from '../child-plan.js';
import { ConfigurationProblem } from '../configuration-problem.js';
import type { Environment } from '../settings.js';
import { parseDemoCommand, USAGE } from './command-line.js';
import { runDemo } from './demo.js';

export type DemoInvocation = {
  args: string[];
  env: Environment;
  /** The project's top directory. */
  root: string;
  stdout: Output;
  stderr: Output;
  /** Told to stop. */
  stop: AbortSignal;
};

const INTERRUPTED = 130;

/** `npm run demo`, from its arguments to its exit code. */
export async function main(invocation: DemoInvocation): Promise<number> {
  const { stdout, stderr, env } = invocation;
  const screen = createLiveScreen(stdout, stderr);
  const paint = choosePaint({ isTTY: stdout.isTTY === true && stderr.isTTY === true, env });
  try {
    return await obey(invocation, screen, paint);
  } catch (error) {
    screen.complain(paint('red', describeProblem(error)));
    return error instanceof ConfigurationProblem ? EX_CONFIG : 1;
  }
}

async function obey({ args, env, root, stop }: DemoInvocation, screen: LiveScreen, paint: Paint): Promise<number> {
  const command = parseDemoCommand(args);
  if (command.kind === 'help') screen.say(USAGE);
  if (command.kind === 'misuse') screen.complain(command.problem);
  if (command.kind !== 'run') return command.kind === 'help' ? 0 : 2;
  const faults = await runDemo({ ...command, env, root, screen, paint, stop });
  if (!faults) return INTERRUPTED;
  return faults.length === 0 ? 0 : 1;
}

function describeProblem(error: unknown): string {
  if (error instanceof ConfigurationProblem || error instanceof CannotStart) return error.message;
  return isNativeError(error) ? `${error.stack}` : `${error}`;
}
