import { cpuMsOfOne, familyOf, proportionalMiB, readTitle } from './cpu-times.js';

export const HOUSEHOLD_KINDS = ['api', 'worker', 'supervisor', 'postgres', 'redis'] as const;
export type HouseholdKind = (typeof HOUSEHOLD_KINDS)[number];

/** What the processes of an `npm start` have used and take, by what they are. */
export type Household = Record<HouseholdKind, { cpuMs: number; memoryMiB: number }>;

export function readHousehold(pid: number): Household {
  const household: Household = { api: none(), worker: none(), supervisor: none(), postgres: none(), redis: none() };
  for (const member of familyOf(pid)) {
    const kind = household[kindOf(readTitle(member))];
    kind.cpuMs += cpuMsOfOne(member);
    kind.memoryMiB += proportionalMiB(member);
  }
  return household;
}

/** By the title a process gives itself. What is none of the others is npm and the supervisor. */
export function kindOf(title: string): HouseholdKind {
  if (title.startsWith('driftwire-api')) return 'api';
  if (title.startsWith('driftwire-worker')) return 'worker';
  if (/redis-server/.test(title)) return 'redis';
  return /^(postgres:|\S*\/postgres )/.test(title) ? 'postgres' : 'supervisor';
}

function none() {
  return { cpuMs: 0, memoryMiB: 0 };
}
