import {
  type Actor,
  auditAll,
  closeCircuitSql,
  type Endpoint,
  isUniqueViolation,
  makeSlots,
  Prisma,
} from '@driftwire/database';
import type { Caller } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { pathId, scopeOf } from './customer-scope.js';
import type { EndpointChange, EndpointWithFlow } from './endpoint-fields.js';
import { notFound, Problem } from './problem.js';

/** An endpoint that is not deleted, so it has a secret. */
export type LiveEndpoint = EndpointWithFlow & { secretSealed: string };

/** The endpoint of a path, or the 404 it deserves. */
export async function findEndpoint({ prisma }: ApiDeps, caller: Caller, id: string): Promise<LiveEndpoint> {
  const where = { id: pathId(id, 'endpoint'), ...scopeOf(caller), deletedAt: null };
  const endpoint = await prisma.endpoint.findFirst({ where, include: { flow: true } });
  if (endpoint === null || endpoint.secretSealed === null) throw notFound('endpoint');
  return { ...endpoint, secretSealed: endpoint.secretSealed };
}

/** What is asked, what is written for it, and who asks. */
export type EndpointWrite = { input: EndpointChange; data: Prisma.EndpointUpdateManyMutationInput; actor: Actor };

/**
 * Compare-and-set on the version: of two changes at the same moment, one is told to look again. With the change, and only with
 * it, come its line in the audit log and, where it is a reason for that, the end of an open circuit.
 */
export async function writeEndpoint(
  { prisma, now }: ApiDeps,
  before: LiveEndpoint,
  { input, data, actor }: EndpointWrite,
): Promise<EndpointWithFlow> {
  const { id, customerId, version } = before;
  const unchanged = Prisma.sql`
    SELECT id, customer_id FROM endpoints
    WHERE id = ${id}::uuid AND customer_id = ${customerId}::uuid AND version = ${version}
      AND deleted_at IS NULL FOR NO KEY UPDATE`;
  const isClosed = closesCircuit(before, input);
  const closing = Prisma.sql`${isClosed}::boolean AND flow.endpoint_id = ${id}::uuid AND EXISTS (${unchanged})`;
  const [, , [changed]] = await namedOnce(
    prisma.$transaction([
      auditAll(prisma, { ...actor, action: 'endpoint.changed', detail: { fields: Object.keys(input) } }, unchanged),
      prisma.$queryRaw(closeCircuitSql(closing, actor)),
      prisma.endpoint.updateManyAndReturn({
        where: { id, customerId, version, deletedAt: null },
        data: { ...data, version: { increment: 1 }, updatedAt: now() },
      }),
      ...(setsLimit(input) ? [prisma.$executeRaw(makeSlots(id))] : []),
    ]),
  );
  if (changed === undefined) return refuseChanged();
  return { ...changed, flow: isClosed ? [] : before.flow };
}

/** An open circuit speaks of the URL that failed; and who sets an endpoint active says that it works. */
function closesCircuit(before: Endpoint, { url, active }: EndpointChange): boolean {
  return active === true || (url !== undefined && url !== before.url);
}

function setsLimit({ max_in_flight: inFlight, max_per_second: perSecond }: EndpointChange): boolean {
  return (inFlight ?? perSecond ?? null) !== null;
}

/** The endpoint is not as it was read. */
export function refuseChanged(): never {
  throw new Problem('endpoint_changed', 'Read the endpoint again and repeat the change.');
}

/** Two endpoints of a customer cannot have one name. */
export async function namedOnce<T>(write: Promise<T>): Promise<T> {
  return write.catch((error: unknown) => {
    if (!isUniqueViolation(error, 'endpoints_customer_id_name_live_key')) throw error;
    throw new Problem('name_taken', 'Another endpoint of this customer has this name.', { cause: error });
  });
}
