import type pg from 'pg';

/** Below that a day's index is built before anybody has read that it is. */
const LARGE_BYTES = 16 * 1024 * 1024;

type MissingIndex = { name: string; bytes: string; drop: string; create: string; attach: string };

/**
 * Builds the indexes that a migration has given to a table of days and that its days lack, one day at a time, while others write
 * (CREATE INDEX CONCURRENTLY, which no migration can, being one transaction). Days that are made later have them from the start.
 * One that was left half built is built anew. To be called under the migration lock.
 */
export async function buildDaysIndexes(client: pg.Client, onBuilding: (name: string) => void): Promise<void> {
  const { rows } = await client.query<MissingIndex>(MISSING);
  for (const { name, bytes, drop, create, attach } of rows) {
    if (Number(bytes) > LARGE_BYTES) onBuilding(name);
    await client.query(drop);
    await client.query(create);
    await client.query(attach);
  }
}

/** An index of a table of days is invalid for as long as one of its days has none that belongs to it. */
const MISSING = `
  WITH missing AS (
    SELECT parent.oid AS parent, day.oid AS day, schema.nspname AS schema, parent.relname AS parent_name,
      replace(parent.relname, tables.relname, day.relname) AS name
    FROM pg_index
    JOIN pg_class parent ON parent.oid = indexrelid
    JOIN pg_class tables ON tables.oid = indrelid
    JOIN pg_namespace schema ON schema.oid = parent.relnamespace
    JOIN pg_inherits of_day ON of_day.inhparent = indrelid
    JOIN pg_class day ON day.oid = of_day.inhrelid
    WHERE parent.relkind = 'I' AND NOT indisvalid AND tables.oid = 'deliveries'::regclass
      AND NOT EXISTS (
        SELECT FROM pg_inherits JOIN pg_index child ON child.indexrelid = inhrelid
        WHERE inhparent = parent.oid AND child.indrelid = day.oid
      )
  )
  SELECT name, pg_relation_size(day) AS bytes,
    format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', schema, name) AS drop,
    format('CREATE INDEX CONCURRENTLY %I ON %s %s', name, day::regclass, substring(pg_get_indexdef(parent) FROM 'USING .*')) AS create,
    format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', schema, parent_name, schema, name) AS attach
  FROM missing ORDER BY name`;
