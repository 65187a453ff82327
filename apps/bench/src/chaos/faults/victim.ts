import type { Keeper } from '../../stack/process-keeper.js';
import { Missed } from './arena.js';

/** Those that run: neither frozen nor already hit. */
export function awake(keepers: readonly Keeper[]): Keeper[] {
  return keepers.filter(({ isReady, isFrozen }) => isReady && !isFrozen);
}

/** Of those that run, the one that `pick` (0 ≤ pick < 1) points to. */
export function victim(keepers: readonly Keeper[], pick: number): Keeper {
  const candidates = awake(keepers);
  const chosen = candidates[Math.floor(pick * candidates.length)];
  if (!chosen) throw new Missed('nothing of the kind was running');
  return chosen;
}
