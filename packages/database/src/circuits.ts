import { type Actor, auditStatement, DRIFTWIRE } from './audit-log.js';
import { Prisma, type PrismaClient } from './generated/client.js';
import type { Granted } from './granted-deliveries.js';
import { JOB_GRACE_MS } from './job-grace.js';
import { letGo } from './let-go.js';

/** What a worker has seen fail: attempts in a row, the first of them `forMs` ago. */
export type FailingEndpoint = {
  endpointId: string;
  version: number;
  failures: number;
  forMs: number;
  /** What the receiver asks for: the first probe comes no sooner. */
  notBeforeMs: number;
};

/** A success among so many of an endpoint's latest deliveries keeps its circuit closed. */
const LOOKED_AT = 2_000;
/** Or one that is so recent, however quickly the attempts have failed. */
const ANSWERED_LATELY_MS = 1_000;
const LONGEST_PROBE_WAIT_MS = 600_000;
/** Of the oldest and of the newest that are held, so many may be the probe. */
const CANDIDATES = 50;

/**
 * Opens the circuit of an endpoint, provided it is still the version that failed, and nobody has had a success from it meanwhile.
 * Compare-and-set: false when it is open already, or when that does not hold.
 */
export async function openCircuit(
  prisma: PrismaClient,
  { endpointId, version, failures, forMs, notBeforeMs }: FailingEndpoint,
  { probeAfterMs }: { probeAfterMs: number },
): Promise<boolean> {
  const audit = auditStatement(
    { ...DRIFTWIRE, action: 'endpoint.circuit_opened', detail: { failures } },
    Prisma.sql`SELECT id, customer_id FROM opened`,
  );
  const opened = await prisma.$queryRaw<unknown[]>`
    WITH opened AS (
      INSERT INTO endpoint_flow AS flow
        (endpoint_id, customer_id, circuit_opened_at, circuit_failures, next_probe_at, probe_wait_ms)
      SELECT id, customer_id, now(), ${failures}::int,
        now() + greatest(${jittered(Prisma.sql`${probeAfterMs}::int`)}, ${notBeforeMs}::float8 * interval '1 ms'), ${probeAfterMs}::int
      FROM endpoints
      WHERE id = ${endpointId}::uuid AND version = ${version}::int AND active AND deleted_at IS NULL AND NOT EXISTS (
        SELECT FROM (
          SELECT status, completed_at FROM deliveries WHERE endpoint_id = ${endpointId}::uuid ORDER BY id DESC LIMIT ${LOOKED_AT}::int
        ) AS latest
        WHERE status = 'success' AND completed_at > now() - ${Math.max(forMs, ANSWERED_LATELY_MS)}::float8 * interval '1 ms'
      )
      -- Of a change that is not committed yet, it waits for the outcome.
      FOR SHARE
      ON CONFLICT (endpoint_id) DO UPDATE SET
        circuit_opened_at = excluded.circuit_opened_at, circuit_failures = excluded.circuit_failures,
        next_probe_at = excluded.next_probe_at, probe_wait_ms = excluded.probe_wait_ms
      WHERE flow.circuit_opened_at IS NULL
      RETURNING endpoint_id AS id, customer_id
    ),
    audited AS (${audit})
    SELECT id FROM opened`;
  return opened.length === 1;
}

/**
 * Lets the probes of these endpoints go, where one is due and none is out: of those that are held one each, that has failed least, so
 * that none ends of probing. A probe may be claimed within `claimWithinMs`, and no other is let go before the lease of such a claim is over.
 * Endpoints that are limited to so many in flight need a free slot as for any other request.
 */
export async function takeProbes(
  prisma: PrismaClient,
  endpointIds: readonly string[],
  { claimWithinMs, leaseMs }: { claimWithinMs: number; leaseMs: number },
): Promise<Granted[]> {
  return prisma.$queryRaw<Granted[]>`
    WITH due AS (
      SELECT flow.endpoint_id, endpoint.max_in_flight, now() + ${claimWithinMs}::int * interval '1 ms' AS claim_until,
        now() + ${claimWithinMs + leaseMs}::int * interval '1 ms' AS until
      FROM endpoint_flow flow JOIN endpoints endpoint ON endpoint.id = flow.endpoint_id
      WHERE flow.endpoint_id = ANY (${[...endpointIds]}::uuid[]) AND circuit_opened_at IS NOT NULL
        AND next_probe_at <= now() AND (probe_until IS NULL OR probe_until <= now())
        AND endpoint.active AND endpoint.deleted_at IS NULL AND NOT endpoint.on_hold
      ORDER BY flow.endpoint_id
      FOR UPDATE OF flow SKIP LOCKED
    ),
    placed AS (
      SELECT due.*, slot FROM due LEFT JOIN LATERAL (
        SELECT slot FROM endpoint_slots taken
        WHERE taken.endpoint_id = due.endpoint_id AND slot <= max_in_flight AND (taken.until IS NULL OR taken.until <= now())
        ORDER BY slot LIMIT 1
        FOR UPDATE SKIP LOCKED
      ) AS free ON true
      WHERE max_in_flight IS NULL OR slot IS NOT NULL
    ),
    chosen AS (
      SELECT placed.*, probe.* FROM placed, LATERAL (
        SELECT id, generation, hold_reason, held_since FROM deliveries WHERE hold_reason IS NOT NULL AND id = (
          SELECT id FROM (
            (SELECT id, failed_count FROM deliveries WHERE endpoint_id = placed.endpoint_id AND hold_reason IS NOT NULL
              ORDER BY id LIMIT ${CANDIDATES}::int)
            UNION ALL
            (SELECT id, failed_count FROM deliveries WHERE endpoint_id = placed.endpoint_id AND hold_reason IS NOT NULL
              ORDER BY id DESC LIMIT ${CANDIDATES}::int)
          ) AS candidate ORDER BY failed_count, id LIMIT 1
        )
        FOR UPDATE SKIP LOCKED
      ) AS probe
    ),
    probing AS (
      UPDATE endpoint_flow flow SET probe_delivery_id = chosen.id, probe_until = chosen.until
      FROM chosen WHERE flow.endpoint_id = chosen.endpoint_id
    ),
    taken AS (
      UPDATE endpoint_slots taken SET delivery_id = chosen.id, until = chosen.until
      FROM chosen WHERE taken.endpoint_id = chosen.endpoint_id AND taken.slot = chosen.slot
    )
    UPDATE deliveries delivery SET
      ${letGo('chosen')}, job_id = NULL, granted_until = chosen.claim_until,
      next_attempt_at = now(), recover_at = now() + ${JOB_GRACE_MS}::int * interval '1 ms'
    FROM chosen WHERE delivery.id = chosen.id AND delivery.id = ANY (ARRAY(SELECT id FROM chosen))
    RETURNING delivery.id AS "deliveryId", delivery.endpoint_id AS "endpointId", delivery.generation,
      delivery.max_attempts AS "maxAttempts", 0::float8 AS "dueInMs", chosen.slot IS NOT NULL AS "hasSlot", false AS "isPaced"`;
}

/** Which probe: one that was overtaken by another decides nothing. */
export type Probe = { endpointId: string; deliveryId: string };

/** The probe has failed, or was not answered with what it was sent for: the next one comes after twice the time, and not before `notBeforeMs`. */
export async function putOffProbe(
  prisma: PrismaClient,
  { endpointId, deliveryId }: Probe,
  { isFailure, notBeforeMs }: { isFailure: boolean; notBeforeMs: number },
): Promise<boolean> {
  const count = await prisma.$executeRaw`
    UPDATE endpoint_flow SET
      circuit_failures = circuit_failures + ${isFailure}::boolean::int,
      probe_wait_ms = least(probe_wait_ms * 2, ${LONGEST_PROBE_WAIT_MS}::int),
      next_probe_at = now() + greatest(
        ${jittered(Prisma.sql`least(probe_wait_ms * 2, ${LONGEST_PROBE_WAIT_MS}::int)`)}, ${notBeforeMs}::float8 * interval '1 ms'),
      probe_delivery_id = NULL, probe_until = NULL
    WHERE endpoint_id = ${endpointId}::uuid AND probe_delivery_id = ${deliveryId}::uuid`;
  return count === 1;
}

/**
 * Closes a circuit: always, or because this probe has succeeded. What is held follows in its turn, and what is accepted meanwhile queues up
 * behind it. Compare-and-set: false when it is not open, or another probe is out.
 */
export async function closeCircuit(
  prisma: PrismaClient,
  { endpointId, deliveryId }: { endpointId: string; deliveryId?: string },
  actor: Actor,
): Promise<boolean> {
  const closed = await prisma.$queryRaw<unknown[]>`${closeCircuitSql(
    Prisma.sql`flow.endpoint_id = ${endpointId}::uuid
      AND flow.probe_delivery_id IS NOT DISTINCT FROM coalesce(${deliveryId ?? null}::uuid, flow.probe_delivery_id)`,
    actor,
  )}`;
  return closed.length === 1;
}

/** Closes all that are open, because nobody probes any more. Answers how many there were. */
export async function closeCircuits(prisma: PrismaClient): Promise<number> {
  const closed = await prisma.$queryRaw<unknown[]>`${closeCircuitSql(Prisma.sql`true`, DRIFTWIRE)}`;
  return closed.length;
}

/** For those that `condition` names of the rows of `flow`; goes into a transaction with what makes a closed circuit right. */
export function closeCircuitSql(condition: Prisma.Sql, actor: Actor): Prisma.Sql {
  const audit = auditStatement(
    { ...actor, action: 'endpoint.circuit_closed' },
    Prisma.sql`SELECT id, customer_id FROM closed`,
  );
  return Prisma.sql`
    WITH closed AS (
      UPDATE endpoint_flow flow SET
        circuit_opened_at = NULL, circuit_failures = NULL, next_probe_at = NULL, probe_wait_ms = NULL,
        probe_delivery_id = NULL, probe_until = NULL,
        crowded_at = CASE
          WHEN EXISTS (SELECT FROM deliveries WHERE endpoint_id = flow.endpoint_id AND hold_reason IS NOT NULL)
          THEN coalesce(crowded_at, now()) ELSE crowded_at END
      WHERE circuit_opened_at IS NOT NULL AND ${condition}
      RETURNING endpoint_id AS id, customer_id
    ),
    audited AS (${audit})
    SELECT id FROM closed`;
}

/** So that the probes of a thousand endpoints that went down together do not come together for ever. */
function jittered(waitMs: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(${waitMs}) * (0.9 + 0.2 * random()) * interval '1 ms'`;
}
