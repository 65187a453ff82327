import type { Session } from '../stack/database-session.js';

/** Tables with their indexes. */
export async function readTableBytes({ query }: Session): Promise<number> {
  const sql = `SELECT sum(pg_total_relation_size(relid))::float8 AS bytes FROM pg_stat_user_tables`;
  return (await query<{ bytes: number }>(sql))[0]?.bytes ?? 0;
}

/** Written to the write-ahead log so far. */
export async function readWalBytes({ query }: Session): Promise<number> {
  const sql = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS bytes`;
  return (await query<{ bytes: number }>(sql))[0]?.bytes ?? 0;
}

/** Of Redis's answer to INFO memory: what it holds, without what it needs to run. */
export function datasetBytes(info: string): number {
  return Number(/^used_memory_dataset:(\d+)/m.exec(info)?.[1]);
}
