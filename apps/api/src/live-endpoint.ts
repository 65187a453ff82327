import { auditAll, type Deed, type Endpoint, isUniqueViolation, Prisma } from '@driftwire/database';
import type { Caller } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { pathId, scopeOf } from './customer-scope.js';
import { notFound, Problem } from './problem.js';

/** An endpoint that is not deleted, so it has a secret. */
export type LiveEndpoint = Endpoint & { secretSealed: string };

/** The endpoint of a path, or the 404 it deserves. */
export async function findEndpoint({ prisma }: ApiDeps, caller: Caller, id: string): Promise<LiveEndpoint> {
  const where = { id: pathId(id, 'endpoint'), ...scopeOf(caller), deletedAt: null };
  const endpoint = await prisma.endpoint.findFirst({ where });
  if (endpoint === null || endpoint.secretSealed === null) throw notFound('endpoint');
  return { ...endpoint, secretSealed: endpoint.secretSealed };
}

/** Compare-and-set on the version: of two changes at the same moment, one is told to look again. */
export async function writeEndpoint(
  { prisma, now }: ApiDeps,
  before: LiveEndpoint,
  data: Prisma.EndpointUpdateManyMutationInput,
  deed: Deed,
): Promise<Endpoint> {
  const { id, customerId, version } = before;
  const audit = Prisma.sql`
    SELECT id, customer_id FROM endpoints
    WHERE id = ${id}::uuid AND customer_id = ${customerId}::uuid AND version = ${version}
      AND deleted_at IS NULL FOR NO KEY UPDATE`;
  const [, [changed]] = await namedOnce(
    prisma.$transaction([
      auditAll(prisma, deed, audit),
      prisma.endpoint.updateManyAndReturn({
        where: { id, customerId, version, deletedAt: null },
        data: { ...data, version: { increment: 1 }, updatedAt: now() },
      }),
    ]),
  );
  return changed ?? refuseChanged();
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
