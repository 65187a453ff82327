import type { ServerCommand } from './server-command.js';

/**
 * With Node's own 16 MiB of young generation, requests in flight are still there when it is collected and are copied every
 * time; with 64 a worker takes a tenth less processor, for some 80 MiB more memory (docs/performance.md). Node reads this
 * at its start only, so a program cannot set it for itself.
 */
const NODE_FLAGS = ['--max-semi-space-size=64'];

export type NodeProgram = {
  /** Absolute: the process title the program gives itself has to fit into the command line it was started with. */
  script: string;
  env: Record<string, string>;
  args?: string[];
  /** Node's own, beside ours. */
  nodeArgs?: string[];
  cwd?: string;
};

/** The command that runs one of our programs, as an operator would. */
export function nodeCommand({
  script,
  env,
  args = [],
  nodeArgs = [],
  cwd = process.cwd(),
}: NodeProgram): ServerCommand {
  return { file: process.execPath, args: [...NODE_FLAGS, ...nodeArgs, script, ...args], cwd, env };
}
