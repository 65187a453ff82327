import type { LetGo } from '@driftwire/database';
import type { DeliveryWakeUp } from '@driftwire/queue';
import type { ParkingObserver } from './parking-observer.js';

export type ParkingDeps = {
  letGo: (limit: number) => Promise<LetGo[]>;
  addJobs: (jobs: readonly DeliveryWakeUp[]) => Promise<void>;
  endParked: (day: string, limit: number) => Promise<string[]>;
  observe: ParkingObserver;
};

export type Parking = {
  /** To be called every few seconds. */
  letGo: () => Promise<void>;
  /** For a day that is past its retention. */
  endDay: (day: string) => Promise<void>;
};

const BATCH_SIZE = 1_000;

/**
 * Deliveries whose secret no key of a worker opened wait for five minutes at a time. This watches over them: what this worker's ring
 * opens goes on within seconds, wherever it was parked, and what nobody can open does not keep its day for ever.
 */
export function createParking({ letGo, addJobs, endParked, observe }: ParkingDeps): Parking {
  return {
    letGo: () =>
      inBatches(async () => {
        const jobs = await letGo(BATCH_SIZE);
        if (jobs.length === 0) return 0;
        observe.letGo(jobs.length);
        await addJobs(jobs);
        return jobs.length;
      }),
    endDay: (day) =>
      inBatches(async () => {
        const ids = await endParked(day, BATCH_SIZE);
        if (ids.length > 0) observe.ended(day, ids);
        return ids.length;
      }),
  };
}

async function inBatches(run: () => Promise<number>): Promise<void> {
  while ((await run()) === BATCH_SIZE);
}
