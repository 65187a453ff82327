import { connectDatabase, findOrphans, storedDays } from '@driftwire/database';
import { APPLICATION_NAME } from '../stack/database-session.js';
import type { OrphanedRows } from './oracle/evidence.js';

/** Rows that refer to what is not there, by the search that `npm run find-orphans` makes. Read when all is quiet. */
export async function readOrphans(databaseUrl: string): Promise<OrphanedRows[]> {
  const { prisma, close } = connectDatabase({
    url: databaseUrl,
    applicationName: APPLICATION_NAME,
    poolSize: 1,
    onConnectionLost: () => {},
  });
  try {
    const found: OrphanedRows[] = [];
    for (const day of await storedDays(prisma)) found.push(...(await findOrphans(prisma, day)));
    return found.filter(({ orphans }) => orphans > 0);
  } finally {
    await close();
  }
}
