import type { Screen } from '@driftwire/terminal';
import { type DataDir, openDataDir } from './data-dir.js';
import type { Environment, Settings } from './settings.js';
import { bringUpStack, type Stack } from './stack-bring-up.js';
import { createSupervisor } from './supervisor.js';

export type { Stack } from './stack-bring-up.js';

/** The scripts that are started, by their full paths. */
export type Programs = { api: string; worker: string; migrate: string };

export type StackOptions = {
  settings: Settings;
  env: Environment;
  workers: number;
  programs: Programs;
  screen: Screen;
  stop: AbortSignal;
};

/**
 * The whole of Driftwire on this machine, for as long as `use` takes. However it ends (done, told to stop, or a child that
 * no restart will mend) everything is stopped in order before this returns. `over` says that it should end.
 */
export async function runStack(
  options: StackOptions,
  use: (stack: Stack, over: AbortSignal) => Promise<void>,
): Promise<void> {
  const dataDir = await openDataDir(options.settings.dataDir, options.screen.say);
  try {
    await runIn(dataDir, options, use);
  } finally {
    dataDir.release();
  }
}

async function runIn(
  dataDir: DataDir,
  options: StackOptions,
  use: (stack: Stack, over: AbortSignal) => Promise<void>,
): Promise<void> {
  const { screen, stop } = options;
  const failed = new AbortController();
  const over = AbortSignal.any([stop, failed.signal]);
  const supervisor = createSupervisor({ screen, records: dataDir.records, fail: (problem) => failed.abort(problem) });
  try {
    await use(await bringUpStack({ ...options, dataDir, supervisor, over }), over);
    failed.signal.throwIfAborted();
  } catch (error) {
    // Steps that were interrupted end in errors of all kinds; none of them matters to somebody who said stop.
    if (!stop.aborted) throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    await supervisor.stop();
  }
}
