import { bundleId, inBundles } from './bundles.js';
import { Prisma, type PrismaClient } from './generated/client.js';

/** A delivery past its deadline, armed anew: until `recoverAt` nobody else will sweep it. */
export type OverdueDelivery = {
  deliveryId: string;
  /** Of the job that should exist now. Already the next one when the delivery was interrupted. */
  generation: number;
  endpointId: string;
  /** Of the bundle that carries it; null: a job of its own. */
  jobId: string | null;
  maxAttempts: number;
  recoverAt: Date;
  /** Somebody is sending it: its deadline is the end of the lease, and there is nothing to do before. */
  isInFlight: boolean;
  /** Its lease ran out with nothing recorded: the worker that held it is lost, and its job with it. */
  isInterrupted: boolean;
};

const SWEPT = Prisma.sql`
  delivery.id AS "deliveryId", delivery.generation, delivery.endpoint_id AS "endpointId", delivery.job_id AS "jobId",
  delivery.max_attempts AS "maxAttempts", delivery.recover_at AS "recoverAt"`;

/**
 * Takes deliveries whose deadline has passed, the oldest deadlines first, and moves their deadlines by `rearmMs` before
 * anything else is done: a sweeper that dies next costs this delay and nothing more. Rows that somebody has
 * locked are skipped, so that sweepers share the work and hold up nobody.
 *
 * A delivery in flight only gets the deadline that its claim spared itself to write, for most are done before theirs. An
 * interrupted one takes its next generation here, and a job of its own. Only once: while its new job waits in a long queue the lease
 * stays run out, but was not taken by the current generation any more.
 *
 * Every value comes from the rows that were locked, here as in all statements that lock and then update: where a row has changed
 * since the statement began, "delivery" is still the version before, and the CHECKs are judged on what that would make of it.
 */
export async function armOverdueDeliveries(
  prisma: PrismaClient,
  { limit, rearmMs }: { limit: number; rearmMs: number },
): Promise<OverdueDelivery[]> {
  return prisma.$queryRaw<OverdueDelivery[]>`
    /* prepared: arm_overdue */
    WITH overdue AS (
      SELECT id, generation, job_id, lease_expires_at, lease_expires_at > now() AS is_in_flight,
        lease_expires_at <= now() AND claimed_generation = generation AS is_interrupted
      FROM deliveries WHERE recover_at <= now()
      ORDER BY recover_at LIMIT ${limit}::int
      FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries delivery SET
      recover_at = CASE WHEN is_in_flight THEN overdue.lease_expires_at ELSE now() + ${rearmMs}::int * interval '1 ms' END,
      generation = overdue.generation + coalesce(is_interrupted, false)::int,
      job_id = CASE WHEN is_interrupted THEN NULL ELSE overdue.job_id END
    FROM overdue WHERE delivery.id = overdue.id
    RETURNING ${SWEPT}, coalesce(is_in_flight, false) AS "isInFlight",
      coalesce(is_interrupted, false) AS "isInterrupted"`;
}

/**
 * For deliveries whose job has finished without finishing them, or whose bundle is gone: the next generation, so that a job can be
 * added although Redis still keeps the old one, in bundles of `deliveriesPerJob` at most. Compare-and-set on the deadline: one that was claimed or recorded meanwhile is left
 * alone, and missing from the answer.
 */
export async function takeNextGenerations(
  prisma: PrismaClient,
  overdue: readonly OverdueDelivery[],
  { deliveriesPerJob }: { deliveriesPerJob: number } = { deliveriesPerJob: 1 },
): Promise<OverdueDelivery[]> {
  if (overdue.length === 0) return [];
  return prisma.$queryRaw<OverdueDelivery[]>`
    WITH held AS (${stillArmed(overdue)}),
    placed AS (SELECT id, generation, ${inBundles(Prisma.sql`id`)} FROM held)
    UPDATE deliveries delivery SET generation = placed.generation + 1, job_id = ${bundleId(deliveriesPerJob)}
    FROM placed WHERE delivery.id = placed.id
    RETURNING ${SWEPT}, false AS "isInFlight", false AS "isInterrupted"`;
}

/**
 * Moves deadlines to `afterMs` from now. Compare-and-set on the deadline: a claim or record that came in between has set
 * a better one.
 */
export async function rearmDeliveries(
  prisma: PrismaClient,
  overdue: readonly OverdueDelivery[],
  { afterMs }: { afterMs: number },
): Promise<void> {
  if (overdue.length === 0) return;
  await prisma.$executeRaw`
    WITH held AS (${stillArmed(overdue)})
    UPDATE deliveries delivery SET recover_at = now() + ${afterMs}::float8 * interval '1 ms'
    FROM held WHERE delivery.id = held.id`;
}

/**
 * Those nobody has touched since they were armed: a claim sets a lease, and a record another deadline. A locked row is being
 * touched, and waiting for it could deadlock.
 */
function stillArmed(overdue: readonly OverdueDelivery[]): Prisma.Sql {
  return Prisma.sql`
    SELECT delivery.id, delivery.generation FROM deliveries delivery JOIN unnest(
      ${overdue.map(({ deliveryId }) => deliveryId)}::uuid[],
      ${overdue.map(({ recoverAt }) => recoverAt.toISOString())}::timestamptz[]
    ) AS armed(id, recover_at) ON delivery.id = armed.id AND delivery.recover_at = armed.recover_at
    WHERE lease_expires_at IS NULL OR lease_expires_at <= now()
    FOR UPDATE OF delivery SKIP LOCKED`;
}
