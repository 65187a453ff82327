import type { HoldReason, PrismaClient } from './generated/client.js';

/**
 * Of an endpoint that has deliveries held. `isLimited`: they need a grant (`grantHeld`). `probeIsDue`: its circuit is open, and none is out.
 * `isStale`: the oldest was accepted so long ago that it may have been held for too long.
 */
export type HeldEndpoint = {
  endpointId: string;
  oldestId: string;
  isActive: boolean;
  isOnHold: boolean;
  isLimited: boolean;
  /** Null: no limit. */
  maxPerSecond: number | null;
  circuitIsOpen: boolean;
  probeIsDue: boolean;
  isStale: boolean;
};

/** The endpoints that have deliveries held, with the oldest of each. Costs an index look per endpoint and day, however many are held. */
export async function heldEndpoints(prisma: PrismaClient, { maxHours }: { maxHours: number }): Promise<HeldEndpoint[]> {
  return prisma.$queryRaw<HeldEndpoint[]>`
    /* prepared: held_endpoints */
    WITH RECURSIVE held AS (
      (SELECT endpoint_id, id FROM deliveries WHERE hold_reason IS NOT NULL ORDER BY endpoint_id, id LIMIT 1)
      UNION ALL
      SELECT following.* FROM held, LATERAL (
        SELECT endpoint_id, id FROM deliveries
        WHERE hold_reason IS NOT NULL AND endpoint_id > held.endpoint_id
        ORDER BY endpoint_id, id LIMIT 1
      ) AS following
    )
    SELECT held.endpoint_id AS "endpointId", held.id AS "oldestId",
      endpoint.active AND endpoint.deleted_at IS NULL AS "isActive", endpoint.on_hold AS "isOnHold",
      max_in_flight IS NOT NULL OR max_per_second IS NOT NULL AS "isLimited", max_per_second AS "maxPerSecond",
      circuit_opened_at IS NOT NULL AS "circuitIsOpen",
      coalesce(next_probe_at <= now() AND (probe_until IS NULL OR probe_until <= now()), false) AS "probeIsDue",
      held.id < uuidv7_floor(now() - ${maxHours}::int * interval '1 hour') AS "isStale"
    FROM held JOIN endpoints endpoint ON endpoint.id = held.endpoint_id
      LEFT JOIN endpoint_flow flow ON flow.endpoint_id = held.endpoint_id`;
}

/** How many are held, by why: counted up to `limit` of them, some first. */
export async function countHeld(
  prisma: PrismaClient,
  { limit }: { limit: number },
): Promise<{ reason: HoldReason; count: number }[]> {
  return prisma.$queryRaw<{ reason: HoldReason; count: number }[]>`
    /* prepared: count_held */
    SELECT hold_reason AS reason, count(*)::int AS count
    FROM (SELECT hold_reason FROM deliveries WHERE hold_reason IS NOT NULL LIMIT ${limit}::int) AS held GROUP BY hold_reason`;
}
