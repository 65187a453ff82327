import { once } from 'node:events';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { CannotStart } from '@driftwire/local-servers';
import type { Screen } from '@driftwire/terminal';
import { EX_CONFIG } from './child-plan.js';
import { parseCommandLine, USAGE } from './command-line.js';
import { ConfigurationProblem } from './configuration-problem.js';
import { writeReadyNotice } from './ready-notice.js';
import { type Environment, readSettings } from './settings.js';
import { type Programs, runStack } from './stack.js';

export { createScreen } from '@driftwire/terminal';

export type Invocation = {
  args: string[];
  env: Environment;
  /** The project's top directory. */
  root: string;
  programs?: Programs;
  screen: Screen;
  /** Told to stop. */
  stop: AbortSignal;
};

/** `npm start`, from its arguments to its exit code. */
export async function main(invocation: Invocation): Promise<number> {
  const { screen } = invocation;
  try {
    return await obey(invocation);
  } catch (error) {
    if (error instanceof ConfigurationProblem || error instanceof CannotStart) screen.complain(error.message);
    else screen.complain(isNativeError(error) ? `${error.stack}` : `${error}`);
    return error instanceof ConfigurationProblem ? EX_CONFIG : 1;
  }
}

async function obey(invocation: Invocation): Promise<number> {
  const { args, screen } = invocation;
  const line = parseCommandLine(args);
  if (line.kind === 'start') return start(invocation, line.workers);
  if (line.kind === 'help') screen.say(USAGE);
  else screen.complain(line.problem);
  return line.kind === 'help' ? 0 : 2;
}

async function start({ env, root, programs, screen, stop }: Invocation, workers: number): Promise<number> {
  const settings = readSettings(env, root);
  screen.say(`Starting Driftwire (data in ${settings.dataDir})`);
  stop.addEventListener('abort', () => screen.say('Stopping'));
  const stack = { settings, env, workers, programs: programs ?? findPrograms(root), screen, stop };
  await runStack(stack, async (ready, over) => {
    screen.say(writeReadyNotice(ready, performance.now()));
    if (!over.aborted) await once(over, 'abort');
  });
  screen.say(`Stopped. The data is in ${settings.dataDir}`);
  return 0;
}

export function findPrograms(root: string): Programs {
  return {
    api: join(root, 'apps/api/dist/main.js'),
    worker: join(root, 'apps/worker/dist/main.js'),
    migrate: join(root, 'packages/database/dist/migrate-cli.js'),
  };
}
