import type { PrismaClient } from './generated/client.js';

/** Notes when API keys were last used, in one statement for all; a later time that is there already stays. */
export async function rememberKeyUse(prisma: PrismaClient, uses: ReadonlyMap<string, Date>): Promise<void> {
  await prisma.$executeRaw`
    UPDATE api_keys SET last_used_at = used.at
    FROM unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) AS used(id, at)
    WHERE api_keys.id = used.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)`;
}
