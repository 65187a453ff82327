import { auditAll, DRIFTWIRE } from './audit-log.js';
import { Prisma, type PrismaClient } from './generated/client.js';

/**
 * The receiver said 410: takes the endpoint out of service, provided it is still the version that was claimed. A
 * receiver's answer to an old URL says nothing about a new one. False when it had changed or was already inactive.
 */
export async function deactivateGoneEndpoint(
  prisma: PrismaClient,
  { id, version }: { id: string; version: number },
): Promise<boolean> {
  const [, { count }] = await prisma.$transaction([
    auditAll(
      prisma,
      { ...DRIFTWIRE, action: 'endpoint.deactivated', detail: { inactive_reason: 'gone' } },
      Prisma.sql`
        SELECT id, customer_id FROM endpoints
        WHERE id = ${id}::uuid AND version = ${version} AND active AND deleted_at IS NULL FOR NO KEY UPDATE`,
    ),
    prisma.endpoint.updateMany({
      where: { id, version, active: true, deletedAt: null },
      data: { active: false, inactiveReason: 'gone', version: { increment: 1 } },
    }),
  ]);
  return count === 1;
}
