import type { ServerCommand } from './server-command.js';

/**
 * With Node's own 16 MiB of young generation, requests in flight are still there when it is collected and are copied every
 * time; with 64 a worker takes a tenth less processor, for some 80 MiB more memory (docs/performance.md). Node reads this
 * at its start only, so a program cannot set it for itself.
 */
const YOUNG_MIB = 64;
/** What an API has in flight is stored within milliseconds: more than Node's own saves it nothing. */
export const API_YOUNG_MIB = 16;

/**
 * Names are resolved on libuv's threads, four by default, and one whose name server does not answer holds one for ten seconds.
 * More than a worker has deliveries in flight, and again read at the start only.
 */
const THREADS_BESIDE = 28;
const FEWEST_THREADS = 64;
const DEFAULT_CONCURRENCY = 100;

export type NodeProgram = {
  /** Absolute: the process title the program gives itself has to fit into the command line it was started with. */
  script: string;
  env: Record<string, string>;
  args?: string[];
  /** Half of the young generation at most, in MiB. */
  youngMiB?: number;
  /** Node's own, beside ours. */
  nodeArgs?: string[];
  cwd?: string;
};

/** The command that runs one of our programs, as an operator would. */
export function nodeCommand({
  script,
  env,
  args = [],
  youngMiB = YOUNG_MIB,
  nodeArgs = [],
  cwd = process.cwd(),
}: NodeProgram): ServerCommand {
  const nodeEnv = { UV_THREADPOOL_SIZE: `${threadsFor(env)}`, ...env };
  return {
    file: process.execPath,
    args: [`--max-semi-space-size=${youngMiB}`, ...nodeArgs, script, ...args],
    cwd,
    env: nodeEnv,
  };
}

/** What is no number is for the program itself to refuse. */
function threadsFor({ WORKER_CONCURRENCY }: Record<string, string>): number {
  return Math.max((Number(WORKER_CONCURRENCY) || DEFAULT_CONCURRENCY) + THREADS_BESIDE, FEWEST_THREADS);
}
