import {
  createPartitionWatch,
  endParked,
  letGoParked,
  makePartitionsAhead,
  type PrismaClient,
  partitionDaysAhead,
  type Sealer,
} from '@driftwire/database';
import type { Producer } from '@driftwire/queue';
import { type Log, repeatInBackground } from '@driftwire/runtime';
import type { Registry } from 'prom-client';
import type { Flow } from './flow.js';
import { createParking } from './parking.js';
import { createParkingObserver } from './parking-observer.js';
import { createRetention } from './retention.js';
import { createPartitionObserver, createRetentionObserver } from './retention-observer.js';

export type UpkeepDeps = {
  prisma: PrismaClient;
  sealer: Sealer;
  log: Log;
  registry: Registry;
  flow: Pick<Flow, 'look' | 'count'>;
  addJobs: Producer['addJobs'];
  retentionDays: number;
};

/** Begins everything, and answers how each is stopped. */
export type Upkeep = { start: () => { stop: () => Promise<unknown> }[] };

/** So long a delivery may wait after its secret can be opened again. */
const PARKING_EVERY_MS = 5_000;
/** So long what is held may wait when its clock has stopped. */
const HELD_EVERY_MS = 2_000;
const HELD_COUNTED_EVERY_MS = 15_000;
const PARTITIONS_EVERY_MS = 60_000;
const PARTITIONS_RETRY_MS = 5_000;
const RETENTION_EVERY_MS = 3_600_000;
const RETENTION_RETRY_MS = 30_000;

/** What every worker does now and then beside its deliveries and the sweep. */
export function createUpkeep({ prisma, sealer, log, registry, flow, addJobs, retentionDays }: UpkeepDeps): Upkeep {
  const parking = createParking({
    letGo: (limit) => letGoParked(prisma, { ring: sealer.keyIds, limit }),
    addJobs,
    endParked: (day, limit) => endParked(prisma, { day, ring: sealer.keyIds, limit }),
    observe: createParkingObserver(log, registry),
  });
  const retention = createRetention(prisma, {
    days: retentionDays,
    endParked: parking.endDay,
    observe: createRetentionObserver(log, registry),
  });
  const partitions = createPartitionWatch({
    make: () => makePartitionsAhead(prisma),
    daysAhead: () => partitionDaysAhead(prisma),
    observe: createPartitionObserver(log, registry),
  });
  const repeated = (failure: string, everyMs: number, afterFailureMs = everyMs) => ({
    everyMs,
    afterFailureMs,
    onFailure: (error: unknown) => log.warn({ err: error }, failure),
  });
  return {
    start: () => [
      repeatInBackground(partitions.keep, repeated('partitions.not_made', PARTITIONS_EVERY_MS, PARTITIONS_RETRY_MS)),
      repeatInBackground(retention, repeated('retention.failed', RETENTION_EVERY_MS, RETENTION_RETRY_MS)),
      repeatInBackground(parking.letGo, repeated('parking.failed', PARKING_EVERY_MS)),
      repeatInBackground(flow.look, repeated('held.not_looked_at', HELD_EVERY_MS)),
      repeatInBackground(flow.count, repeated('held.not_counted', HELD_COUNTED_EVERY_MS)),
    ],
  };
}
