import type { Stack } from '../stack/stack.js';
import { proportionalMiB } from './cpu-times.js';

/** Of Driftwire's own processes, in MiB. */
export type OwnMemory = { api: number; worker: number };

export function readOwnMemory({ apis, workers }: Stack): OwnMemory {
  const sum = (keepers: Stack['apis']) =>
    keepers.reduce((total, { child }) => total + proportionalMiB(child?.pid ?? 0), 0);
  return { api: sum(apis), worker: sum(workers) };
}
