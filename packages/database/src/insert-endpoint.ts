import { type Actor, auditAll } from './audit-log.js';
import { type Endpoint, Prisma, type PrismaClient } from './generated/client.js';
import { makeSlots } from './granted-deliveries.js';

export type EndpointToInsert = Pick<
  Endpoint,
  | 'id'
  | 'customerId'
  | 'name'
  | 'url'
  | 'eventTypes'
  | 'minSeverity'
  | 'active'
  | 'inactiveReason'
  | 'onHold'
  | 'maxInFlight'
  | 'maxPerSecond'
  | 'secretSealed'
  | 'headerNames'
  | 'headersSealed'
>;

/**
 * Stores an endpoint, unless its customer already has `limit` of them: then null. The lock makes the creates of one
 * customer stand in line. It is a statement of its own, because a statement counts what was there when it began; and it
 * is not FOR UPDATE, which would hold up the customer's drift events.
 */
export async function insertEndpoint(
  prisma: PrismaClient,
  endpoint: EndpointToInsert,
  { actor, limit }: { actor: Actor; limit: number },
): Promise<Endpoint | null> {
  const isLimited = endpoint.maxInFlight !== null || endpoint.maxPerSecond !== null;
  await prisma.$transaction([
    prisma.$executeRaw`SELECT FROM customers WHERE id = ${endpoint.customerId}::uuid FOR NO KEY UPDATE`,
    prisma.$executeRaw`
      INSERT INTO endpoints (id, customer_id, name, url, event_types, min_severity, active, inactive_reason, on_hold,
        max_in_flight, max_per_second, secret_sealed, header_names, headers_sealed)
      SELECT ${endpoint.id}::uuid, ${endpoint.customerId}::uuid, ${endpoint.name}, ${endpoint.url},
        ${endpoint.eventTypes}::text[], ${endpoint.minSeverity}::float8, ${endpoint.active}::boolean,
        ${endpoint.inactiveReason}::inactive_reason, ${endpoint.onHold}::boolean,
        ${endpoint.maxInFlight}::int, ${endpoint.maxPerSecond}::float8, ${endpoint.secretSealed},
        ${endpoint.headerNames}::text[], ${endpoint.headersSealed}
      WHERE ${limit}::int > (
        SELECT count(*) FROM endpoints WHERE customer_id = ${endpoint.customerId}::uuid AND deleted_at IS NULL)`,
    auditAll(
      prisma,
      { ...actor, action: 'endpoint.created', detail: { name: endpoint.name } },
      Prisma.sql`SELECT id, customer_id FROM endpoints WHERE id = ${endpoint.id}::uuid`,
    ),
    ...(isLimited ? [prisma.$executeRaw(makeSlots(endpoint.id))] : []),
  ]);
  return prisma.endpoint.findUnique({ where: { id: endpoint.id, customerId: endpoint.customerId } });
}
