-- A claim changes no indexed column any more, so it is a heap-only update: the row moves within its page and in no index.
-- That takes two things: an index of due rows that does not look at the lease, and room in the page.

DROP INDEX "deliveries_due_idx";
CREATE INDEX "deliveries_due_idx" ON "deliveries"("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL;

-- Makes the three partitions of a day (UTC); false when they are there. The foreign keys between them are theirs and not
-- the parents': both ends of each are in the same day, so a check looks at one table, and a day can be dropped.
-- Made aside and then attached, which stops neither readers nor writers.
CREATE OR REPLACE FUNCTION "make_partitions"("day" DATE) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
  suffix TEXT := to_char("day", 'YYYYMMDD');
  lowest UUID := uuidv7_floor("day"::timestamp AT TIME ZONE 'UTC');
  above UUID := uuidv7_floor(("day" + 1)::timestamp AT TIME ZONE 'UTC');
  parent TEXT;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  IF to_regclass('drift_events_' || suffix) IS NOT NULL THEN
    RETURN false;
  END IF;
  FOREACH parent IN ARRAY ARRAY['drift_events', 'deliveries', 'attempts'] LOOP
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', parent || '_' || suffix, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, parent || '_' || suffix, lowest, above);
  END LOOP;
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (customer_id, event_id) REFERENCES %I (customer_id, id) ON DELETE RESTRICT ON UPDATE CASCADE',
    'deliveries_' || suffix, 'deliveries_' || suffix || '_event_fkey', 'drift_events_' || suffix);
  EXECUTE format(
    'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (customer_id, delivery_id) REFERENCES %I (customer_id, id) ON DELETE RESTRICT ON UPDATE CASCADE',
    'attempts_' || suffix, 'attempts_' || suffix || '_delivery_fkey', 'deliveries_' || suffix);
  -- Every row is updated twice within seconds and then never again: vacuum early, by count rather than by share, and leave
  -- a page room for the second version of each of its rows.
  EXECUTE format(
    'ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.05, fillfactor = 45)',
    'deliveries_' || suffix);
  RETURN true;
END
$$;

-- The days that are there already, for what is still to come.
DO $$
DECLARE
  day REGCLASS;
BEGIN
  FOR day IN SELECT inhrelid FROM pg_inherits WHERE inhparent = '"deliveries"'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 45)', day);
  END LOOP;
END
$$;
