import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { readConfig } from './config.js';
import type { Log } from './log.js';

/** EX_CONFIG of sysexits(3): the environment is wrong, and starting again will not help. */
export const EX_CONFIG = 78;

/**
 * The configuration of this process, or its end: every problem on stderr, one line each, exit code 78. With
 * `--check-config` the process ends in either case, so that a supervisor can ask before it starts anything.
 */
export function configOrExit<T>(schema: z.ZodType<T>): T {
  const reading = readConfig(schema, process.env);
  if (!reading.ok) {
    for (const problem of reading.problems) process.stderr.write(`${problem}\n`);
    process.exit(EX_CONFIG);
  }
  if (process.argv.includes('--check-config')) process.exit(0);
  return reading.config;
}

const ASK_AGAIN_MS = 1_000;

/** What only a server can say of the configuration: asked until it answers, and the end of the process, exit code 78, when it is wrong. */
export async function exitWhenMisconfigured(findProblem: () => Promise<string | null>): Promise<void> {
  for (;;) {
    try {
      const problem = await findProblem();
      if (problem === null) return;
      process.stderr.write(`${problem}\n`);
      process.exit(EX_CONFIG);
    } catch {
      await delay(ASK_AGAIN_MS, undefined, { ref: false });
    }
  }
}

/**
 * Runs `stop` at the first SIGTERM or SIGINT and exits: 0 when it ended within the grace, 1 when it did not. A second
 * signal changes nothing: npm and a terminal both pass signals on, so one Ctrl-C may arrive twice.
 */
export function stopOnSignal(options: { log: Log; graceMs: number; stop: () => Promise<void> }): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    void stopAndExit(options, signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function stopAndExit({ log, graceMs, stop }: Parameters<typeof stopOnSignal>[0], signal: string): Promise<void> {
  const startedAt = performance.now();
  const deadline = setTimeout(() => {
    log.error({ signal, graceMs }, 'process.stopped_late');
    process.exit(1);
  }, graceMs);
  await stop();
  clearTimeout(deadline);
  log.info({ signal, durationMs: Math.round(performance.now() - startedAt) }, 'process.stopped');
  process.exit(0);
}

/** A bug nobody caught: say so and end, because nothing is known about the state any more. The supervisor restarts. */
export function exitOnBug(log: Log): void {
  const exit = (error: unknown) => {
    log.fatal({ err: error }, 'process.crashed');
    process.exit(1);
  };
  process.on('uncaughtException', exit);
  process.on('unhandledRejection', exit);
}
