const QUICK_DEATH_MS = 1_000;
const LONGEST_DELAY_MS = 5_000;

export type Restart = { delayMs: number; quickDeaths: number };

/**
 * Restarts are without limit. A child that lived starts again at once; one that died within a second of its start waits,
 * longer each time in a row, so that a child that cannot live does not eat the machine.
 */
export function decideRestart(lifeMs: number, quickDeaths: number): Restart {
  if (lifeMs >= QUICK_DEATH_MS) return { delayMs: 0, quickDeaths: 0 };
  return { delayMs: Math.min(250 * 2 ** quickDeaths, LONGEST_DELAY_MS), quickDeaths: quickDeaths + 1 };
}
