import { existsSync } from 'node:fs';
import { nodeCommand } from '@driftwire/local-servers';
import { EX_CONFIG } from './child-plan.js';
import { ConfigurationProblem } from './configuration-problem.js';
import { runOneOff } from './one-off.js';

/**
 * Lets the API and the worker judge their environment before any server starts, so that a mistake in a variable is
 * answered at once and in their own words.
 */
export async function checkConfiguration(
  scripts: string[],
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const commands = scripts.filter(existsSync).map((script) => nodeCommand({ script, env, args: ['--check-config'] }));
  const results = await Promise.all(commands.map((command) => runOneOff(command, signal)));
  const lines = results.filter(({ code }) => code === EX_CONFIG).flatMap((result) => result.lines);
  if (lines.length > 0) throw new ConfigurationProblem([...new Set(lines)].join('\n'));
}
