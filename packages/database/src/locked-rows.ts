import { Prisma } from './generated/client.js';
import { idRange } from './id-range.js';

/** Which delivery, and which of its jobs asks: a job of an older generation has been replaced. */
export type JobRef = { deliveryId: string; generation: number };

/**
 * The rows of these jobs' deliveries, each once and locked, with the newest generation that asks (`job_generation`). Those that
 * somebody else has locked are skipped, not waited for.
 */
export function lockedRowsOf(jobs: readonly JobRef[]): Prisma.Sql {
  const { lowest, highest } = idRange(jobs.map(({ deliveryId }) => deliveryId));
  return Prisma.sql`
    SELECT delivery.*, job.generation AS job_generation
    FROM (
      SELECT id, max(generation) AS generation FROM unnest(
        ${jobs.map(({ deliveryId }) => deliveryId)}::uuid[],
        ${jobs.map(({ generation }) => generation)}::int[]
      ) AS job(id, generation) GROUP BY id ORDER BY id
    ) AS job, LATERAL (
      SELECT * FROM deliveries
      WHERE deliveries.id = job.id AND deliveries.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
      FOR UPDATE SKIP LOCKED
    ) AS delivery`;
}
