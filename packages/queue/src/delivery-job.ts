import type { BulkJobOptions } from 'bullmq';
import { z } from 'zod';

export const DELIVERY_QUEUE = 'deliveries';

/**
 * All that is read of a job: Postgres holds everything else. What a newer version adds is ignored, and not passed on, so that
 * this one can be rolled beside it.
 */
export const deliveryJobSchema = z.object({ deliveryId: z.uuid(), generation: z.int32().min(1) });
export type DeliveryJob = z.infer<typeof deliveryJobSchema>;

/** A job to add. `maxAttempts` is the row's, so that BullMQ and Postgres count to the same number. */
export type DeliveryWakeUp = DeliveryJob & { maxAttempts: number };

/** The retry delay is the one the policy chose: it travels on the thrown error, see `RetryLater`. */
export const RECORDED_DELAY = 'recorded-delay';

/**
 * BullMQ ignores an id it already holds in any state, so adding twice is harmless; the generation is what makes a
 * replacement possible. The id has no `:` and is no integer, which BullMQ refuses.
 */
export function deliveryJobId({ deliveryId, generation }: DeliveryJob): string {
  return `${deliveryId}-${generation}`;
}

export function bulkDeliveryJob({ deliveryId, generation, maxAttempts }: DeliveryWakeUp): {
  name: string;
  data: DeliveryJob;
  opts: BulkJobOptions;
} {
  const data = { deliveryId, generation };
  return {
    name: 'deliver',
    data,
    opts: {
      jobId: deliveryJobId(data),
      attempts: maxAttempts,
      backoff: { type: RECORDED_DELAY },
    },
  };
}
