import type { Stack } from '../../stack/stack.js';
import type { Chance } from '../chance.js';
import type { PlannedFault } from '../fault-plan.js';
import type { Receivers } from '../receivers.js';

/** What faults are done to. */
export type Arena = { stack: Stack; receivers: Receivers };

export type Strike = {
  fault: PlannedFault;
  chance: Chance;
  arena: Arena;
  /** Called at the moment that hurts. */
  struck: () => void;
  signal: AbortSignal;
};

/** Returns when the cause is gone; what follows is recovery. Rejects when the fault could not be done. */
export type Inject = (strike: Strike) => Promise<void>;

/** A fault whose moment did not come: no process to hit, nothing that happened to wait for. */
export class Missed extends Error {
  override name = 'Missed';
}
