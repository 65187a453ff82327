import type { BulkJobOptions } from 'bullmq';
import { z } from 'zod';

export const DELIVERY_QUEUE = 'deliveries';

/**
 * All that is read of a job: Postgres holds everything else. What a newer version adds is ignored, and not passed on, so that
 * this one can be rolled beside it.
 */
const deliveryJobSchema = z.object({
  deliveryId: z.uuid(),
  generation: z.int32().min(1),
  /** Missing in jobs of earlier versions. */
  endpointId: z.uuid().optional(),
  /** It has waited its turn in Postgres: others of its endpoint that come now are behind it. */
  isReleased: z.boolean().optional(),
});
export type DeliveryJob = z.infer<typeof deliveryJobSchema>;

/**
 * A bundle is the job of its first delivery that carries others along, each as [delivery, generation, endpoint]: a version that
 * knows no bundles runs the first, and the sweeper finds the rest.
 */
export const jobDataSchema = deliveryJobSchema.extend({
  others: z.array(z.tuple([z.uuid(), z.int32().min(1), z.uuid()]).rest(z.unknown())).optional(),
  onRecord: z.object({ reason: z.string(), dueAt: z.number().optional() }).optional(),
});
export type JobData = z.infer<typeof jobDataSchema>;

/** An attempt that failed before the job was made, so that BullMQ counts it too. `dueAt`: of the next one, in milliseconds since 1970. */
export type FailureOnRecord = { reason: string; dueAt?: number | undefined };

/**
 * A delivery to add a job for. `maxAttempts` is the row's, so that BullMQ and Postgres count to the same number. Those with the
 * same `jobId` share a job, and must be added at once: a second job with that id would be ignored. `rank`: those of a lower one go
 * first; 0, the default, is before all others.
 */
export type DeliveryWakeUp = DeliveryJob & {
  maxAttempts: number;
  jobId?: string | null;
  onRecord?: FailureOnRecord;
  rank?: number;
};

/** The retry delay is the one the policy chose: it travels on the thrown error, see `RetryLater`. */
export const RECORDED_DELAY = 'recorded-delay';

/**
 * BullMQ ignores an id it already holds in any state, so adding twice is harmless; the generation is what makes a
 * replacement possible. The id has no `:` and is no integer, which BullMQ refuses.
 */
export function deliveryJobId({ deliveryId, generation, jobId }: DeliveryJob & Pick<DeliveryWakeUp, 'jobId'>): string {
  return jobId ? `bundle-${jobId}` : `${deliveryId}-${generation}`;
}

export function membersOf({ others = [], onRecord: _, ...first }: JobData): [DeliveryJob, ...DeliveryJob[]] {
  const { isReleased } = first;
  const toMember = ([deliveryId, generation, endpointId]: (typeof others)[number]): DeliveryJob => ({
    deliveryId,
    generation,
    endpointId,
    ...(isReleased && { isReleased }),
  });
  return [first, ...others.map(toMember)];
}

/** Those that share a job, in the order in which the jobs come. */
export function inJobs(wakeUps: readonly DeliveryWakeUp[]): DeliveryWakeUp[][] {
  const jobs: DeliveryWakeUp[][] = [];
  const bundles = new Map<string, DeliveryWakeUp[]>();
  for (const wakeUp of wakeUps) {
    const bundle = wakeUp.jobId ? bundles.get(wakeUp.jobId) : undefined;
    if (bundle !== undefined) {
      bundle.push(wakeUp);
      continue;
    }
    const job = [wakeUp];
    jobs.push(job);
    if (wakeUp.jobId) bundles.set(wakeUp.jobId, job);
  }
  return jobs;
}

/** The job of one delivery, or of a bundle. */
export function bulkJob([first, ...others]: readonly DeliveryWakeUp[]): {
  name: string;
  data: Record<string, unknown>;
  opts: BulkJobOptions;
} {
  if (first === undefined) throw new Error('a job carries at least one delivery');
  const { deliveryId, generation, endpointId, isReleased, maxAttempts, onRecord } = first;
  const rank = Math.min(...[first, ...others].map((wakeUp) => wakeUp.rank ?? 0));
  return {
    name: others.length === 0 ? 'deliver' : `deliver ${others.length + 1}`,
    data: {
      deliveryId,
      generation,
      endpointId,
      ...(others.length > 0 && {
        others: others.map((other) => [other.deliveryId, other.generation, other.endpointId]),
      }),
      ...(isReleased && { isReleased }),
      ...(onRecord !== undefined && { onRecord }),
    },
    opts: {
      jobId: deliveryJobId(first),
      attempts: maxAttempts,
      backoff: { type: RECORDED_DELAY },
      ...(rank > 0 && { priority: rank }),
      // What is on record is told at once, not behind those that wait.
      ...(onRecord !== undefined && { lifo: true }),
    },
  };
}
