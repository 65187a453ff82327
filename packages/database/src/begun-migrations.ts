import type pg from 'pg';

/**
 * Marks migrations that were begun and never finished as rolled back, as `prisma migrate resolve --rolled-back` does, so that
 * they are applied again; answers their names. Safe because a migration of ours is one transaction, which ends by saying that
 * it is finished (`finishingItself`): one that has not said so has left nothing behind. To be called under the migration lock;
 * should that be lost, the transaction still under way finds that it was taken back, and undoes itself.
 */
export async function takeBackUnfinished(client: pg.Client, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
  );
  if (!rows[0]?.exists) return [];
  const takenBack = await client.query<{ name: string }>(
    `UPDATE _prisma_migrations SET rolled_back_at = now()
     WHERE finished_at IS NULL AND rolled_back_at IS NULL AND migration_name = ANY($1)
     RETURNING migration_name AS name`,
    [names],
  );
  return takenBack.rows.map(({ name }) => name);
}

/**
 * The script of a migration with its end on record, by the same transaction: the engine says so a moment later, and a process
 * that dies in between would leave a migration that is there and counts as failed. The engine begins one at a time.
 */
export function finishingItself(script: string): string {
  return `${script}
;
DO $finish$
BEGIN
  UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another process has taken this migration back and applies it';
  END IF;
END
$finish$;`;
}
