import { Prisma } from './generated/client.js';
import { idRange } from './id-range.js';

/** Which delivery, and which of its jobs asks: a job of an older generation has been replaced. */
export type JobRef = {
  deliveryId: string;
  generation: number;
  /** It was granted to who asks (`grantHeld`, `takeProbes`), and nobody else may use that. */
  isGranted?: boolean;
};

/**
 * The rows of these jobs' deliveries, each once and locked, with the newest generation that asks (`job_generation`). Those that
 * somebody else has locked are skipped, not waited for.
 */
export function lockedRowsOf(jobs: readonly JobRef[]): Prisma.Sql {
  const { lowest, highest } = idRange(jobs.map(({ deliveryId }) => deliveryId));
  return Prisma.sql`
    SELECT delivery.*, job.generation AS job_generation, job.is_granted
    FROM (
      SELECT id, max(generation) AS generation, bool_or(is_granted) AS is_granted FROM unnest(
        ${jobs.map(({ deliveryId }) => deliveryId)}::uuid[],
        ${jobs.map(({ generation }) => generation)}::int[],
        ${jobs.map(({ isGranted }) => isGranted === true)}::boolean[]
      ) AS job(id, generation, is_granted) GROUP BY id ORDER BY id
    ) AS job, LATERAL (
      SELECT * FROM deliveries
      WHERE deliveries.id = job.id AND deliveries.id BETWEEN ${lowest}::uuid AND ${highest}::uuid
      FOR UPDATE SKIP LOCKED
    ) AS delivery`;
}
