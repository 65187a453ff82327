import { setTimeout as pause } from 'node:timers/promises';
import type { LiveScreen } from '@driftwire/terminal';
import { withSession } from '../stack/database-session.js';
import type { HeldSeen } from './held-watch.js';
import { type Counts, countDeliveries } from './history.js';
import { type Progress, writeProgress } from './progress.js';

export type WatchDeps = {
  screen: LiveScreen;
  isTerminal: boolean;
  databaseUrl: string;
  /** All but what the database knows. */
  soFar: () => Omit<Progress, keyof Counts>;
  signal: AbortSignal;
};

/** What the watch saw, of counts the last; it goes on while Postgres is away. */
export type Watch = { counts: Counts; held: HeldSeen };

const LOOK_EVERY_MS = 1_000;
const LINE_EVERY_MS = 10_000;

/** Shows how far it is until the signal says stop: in place on a terminal, a line now and then elsewhere. */
export async function showProgress(deps: WatchDeps, watch: Watch): Promise<void> {
  const everyMs = deps.isTerminal ? LOOK_EVERY_MS : LINE_EVERY_MS;
  while (!deps.signal.aborted) {
    await lookAgain(deps.databaseUrl, watch);
    deps.screen.update(writeProgress({ ...deps.soFar(), ...watch.counts }));
    await pause(everyMs, undefined, { signal: deps.signal }).catch(() => {});
  }
}

/** True once nothing is unfinished, by what the database says now. */
export async function lookAgain(databaseUrl: string, watch: Watch): Promise<boolean> {
  try {
    watch.counts = await withSession(databaseUrl, countDeliveries);
    return watch.counts.finished === watch.counts.deliveries;
  } catch {
    return false;
  }
}
