import type { PrismaClient } from './generated/client.js';

/**
 * A statement that skips locked rows answers for neither those nor deliveries that do not exist: of these ids, the ones that do.
 * Asked apart, because almost always there is nothing to ask.
 */
export async function existingOf(prisma: PrismaClient, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const found = await prisma.delivery.findMany({ where: { id: { in: [...ids] } }, select: { id: true } });
  return new Set(found.map(({ id }) => id));
}
