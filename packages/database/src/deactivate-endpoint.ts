import type { PrismaClient } from './generated/client.js';

/**
 * The receiver said 410: takes the endpoint out of service, provided it is still the version that was claimed. A
 * receiver's answer to an old URL says nothing about a new one. False when it had changed or was already inactive.
 */
export async function deactivateGoneEndpoint(
  prisma: PrismaClient,
  endpoint: { id: string; version: number },
): Promise<boolean> {
  const { count } = await prisma.endpoint.updateMany({
    where: { id: endpoint.id, version: endpoint.version, active: true, deletedAt: null },
    data: { active: false, inactiveReason: 'gone', version: { increment: 1 } },
  });
  return count === 1;
}
