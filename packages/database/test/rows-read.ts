import { connectDatabase, type Database } from '../src/index.js';

/** As a worker's, but with one connection: its plans are made once, and what it reads is told at once. */
export function aWorkersDatabase({ url }: { url: string }): Database {
  return connectDatabase({ url, applicationName: 'worker', poolSize: 1, plans: 'generic', onConnectionLost: () => {} });
}

/** How many rows of events, deliveries and attempts have been read through indexes until now. */
export async function rowsRead({ prisma }: Database): Promise<number> {
  await prisma.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
  const [row] = await prisma.$queryRaw<{ rows: number }[]>`
    SELECT sum(idx_tup_read)::int AS rows FROM pg_stat_user_indexes
    WHERE relname LIKE 'deliveries_%' OR relname LIKE 'drift_events_%' OR relname LIKE 'attempts_%'`;
  return row?.rows ?? 0;
}
