import { Prisma, type PrismaClient } from './generated/client.js';
import { JOB_GRACE_MS } from './job-grace.js';
import { letGo } from './let-go.js';

/**
 * A delivery that was held and may be sent now by whoever asked, without a job: until its grant is over nobody else can claim it.
 * `dueInMs`: from the statement's beginning on. `isPaced`: it must be sent then, or not at all. `hasSlot`: to be given back.
 */
export type Granted = {
  deliveryId: string;
  endpointId: string;
  generation: number;
  maxAttempts: number;
  dueInMs: number;
  isPaced: boolean;
  hasSlot: boolean;
};

/** So far ahead the slots of a rate are handed out. */
const HORIZON_MS = 2_500;
/** A request that is paced goes out at its time, or so much later. */
export const SENT_WITHIN_MS = 50;
/** So late it may be claimed for that. */
const CLAIMED_WITHIN_MS = 40;
/** And so late it may arrive. */
const ARRIVES_WITHIN_MS = 150;
/** A clock that is finer than a slot's, and what lies between the grant and the beginning of the lease. */
const SLOT_MARGIN_MS = 1_000;

/**
 * Lets held deliveries of endpoints with limits go, of each endpoint so many at most, the oldest first, as far as its limits allow: in flight
 * are those that have a slot; the rate is kept by handing out points in time (GCRA, ITU-T I.371), each once. Decided in rows that are locked
 * for it, so that it holds however many workers ask, and whatever becomes of Redis.
 *
 * The points lie so far apart that, with each request up to `ARRIVES_WITHIN_MS` late, no second sees more than the rate and a tenth.
 */
export async function grantHeld(
  prisma: PrismaClient,
  wanted: ReadonlyMap<string, number>,
  { leaseMs, leadMs, claimWithinMs }: { leaseMs: number; leadMs: number; claimWithinMs: number },
): Promise<Granted[]> {
  return prisma.$queryRaw<Granted[]>`
    WITH limited AS (
      SELECT flow.endpoint_id, wanted.count, max_in_flight, max_per_second,
        greatest(now() + ${leadMs}::int * interval '1 ms', next_slot_at) AS first_at,
        greatest(1 / max_per_second, ${1 + ARRIVES_WITHIN_MS / 1000}::float8 / greatest(1, floor(1.1 * max_per_second))) AS apart_s
      FROM unnest(${[...wanted.keys()]}::uuid[], ${[...wanted.values()]}::int[]) AS wanted(endpoint_id, count)
        JOIN endpoints endpoint ON endpoint.id = wanted.endpoint_id
        JOIN endpoint_flow flow ON flow.endpoint_id = wanted.endpoint_id
      WHERE (max_in_flight IS NOT NULL OR max_per_second IS NOT NULL)
        AND endpoint.active AND endpoint.deleted_at IS NULL AND NOT endpoint.on_hold AND circuit_opened_at IS NULL
      ORDER BY flow.endpoint_id
      FOR UPDATE OF flow
    ),
    free AS (
      SELECT slots.*, row_number() OVER (PARTITION BY slots.endpoint_id ORDER BY slot) AS nth FROM limited, LATERAL (
        SELECT endpoint_id, slot FROM endpoint_slots
        WHERE endpoint_slots.endpoint_id = limited.endpoint_id AND slot <= max_in_flight AND (until IS NULL OR until <= now())
        ORDER BY slot LIMIT limited.count
        FOR UPDATE SKIP LOCKED
      ) AS slots
    ),
    room AS (
      SELECT limited.*, least(
        count,
        CASE WHEN max_in_flight IS NOT NULL THEN (SELECT count(*) FROM free WHERE free.endpoint_id = limited.endpoint_id) END,
        CASE WHEN max_per_second IS NOT NULL THEN greatest(0, 1 + floor(
          extract(epoch FROM now() + ${HORIZON_MS}::int * interval '1 ms' - first_at) / apart_s)) END
      )::int AS count_now
      FROM limited
    ),
    oldest AS (
      SELECT held.*, row_number() OVER (PARTITION BY held.endpoint_id ORDER BY id) AS nth FROM room, LATERAL (
        SELECT id, endpoint_id, generation, hold_reason, held_since FROM deliveries
        WHERE deliveries.endpoint_id = room.endpoint_id AND deliveries.hold_reason IS NOT NULL
        ORDER BY id LIMIT count_now
        FOR UPDATE SKIP LOCKED
      ) AS held
    ),
    timed AS (
      SELECT oldest.*, free.slot, max_per_second IS NOT NULL AS is_paced,
        CASE WHEN max_per_second IS NOT NULL THEN first_at + (oldest.nth - 1) * apart_s * interval '1 s' ELSE now() END AS due_at,
        CASE WHEN max_per_second IS NOT NULL THEN ${CLAIMED_WITHIN_MS}::int ELSE ${claimWithinMs}::int END * interval '1 ms' AS within
      FROM oldest JOIN room USING (endpoint_id) LEFT JOIN free USING (endpoint_id, nth)
    ),
    paced AS (
      UPDATE endpoint_flow flow SET next_slot_at = first_at + given.count * apart_s * interval '1 s'
      FROM room, LATERAL (SELECT count(*) FROM oldest WHERE oldest.endpoint_id = room.endpoint_id) AS given
      WHERE flow.endpoint_id = room.endpoint_id AND max_per_second IS NOT NULL AND given.count > 0
    ),
    taken AS (
      UPDATE endpoint_slots slots SET
        delivery_id = timed.id, until = due_at + within + ${leaseMs + SLOT_MARGIN_MS}::int * interval '1 ms'
      FROM timed WHERE slots.endpoint_id = timed.endpoint_id AND slots.slot = timed.slot
    )
    UPDATE deliveries delivery SET
      ${letGo('timed')}, job_id = NULL, granted_until = due_at + within,
      next_attempt_at = now(), recover_at = due_at + within + ${JOB_GRACE_MS}::int * interval '1 ms'
    FROM timed WHERE delivery.id = timed.id AND delivery.id = ANY (ARRAY(SELECT id FROM timed))
    RETURNING delivery.id AS "deliveryId", delivery.endpoint_id AS "endpointId", delivery.generation,
      delivery.max_attempts AS "maxAttempts", extract(epoch FROM due_at - now())::float8 * 1000 AS "dueInMs",
      is_paced AS "isPaced", slot IS NOT NULL AS "hasSlot"`;
}

/** Gives slots back before their time: the requests of these deliveries are over. */
export async function freeSlots(
  prisma: PrismaClient,
  granted: readonly Pick<Granted, 'endpointId' | 'deliveryId'>[],
): Promise<void> {
  await prisma.$executeRaw`
    WITH freed AS (
      SELECT slots.endpoint_id, slot FROM endpoint_slots slots JOIN unnest(
        ${granted.map(({ endpointId }) => endpointId)}::uuid[], ${granted.map(({ deliveryId }) => deliveryId)}::uuid[]
      ) AS over(endpoint_id, delivery_id) ON slots.endpoint_id = over.endpoint_id AND slots.delivery_id = over.delivery_id
      ORDER BY slots.endpoint_id, slot
      FOR UPDATE OF slots
    )
    UPDATE endpoint_slots slots SET delivery_id = NULL, until = NULL
    FROM freed WHERE slots.endpoint_id = freed.endpoint_id AND slots.slot = freed.slot`;
}

/** What `grantHeld` needs of an endpoint that has limits now; for the transaction that sets them. */
export function makeSlots(endpointId: string): Prisma.Sql {
  return Prisma.sql`
    WITH limited AS (
      SELECT id, customer_id, max_in_flight FROM endpoints
      WHERE id = ${endpointId}::uuid AND (max_in_flight IS NOT NULL OR max_per_second IS NOT NULL)
    ),
    flow AS (
      INSERT INTO endpoint_flow (endpoint_id, customer_id) SELECT id, customer_id FROM limited ON CONFLICT DO NOTHING
    )
    INSERT INTO endpoint_slots (endpoint_id, slot, customer_id)
    SELECT id, slot, customer_id FROM limited, generate_series(1, max_in_flight) AS slot
    ON CONFLICT DO NOTHING`;
}
