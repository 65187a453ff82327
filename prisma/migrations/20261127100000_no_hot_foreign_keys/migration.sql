-- The foreign keys of events, deliveries and attempts go: what they guard, the statements that write these tables guard already, and each
-- of them cost a query and a lock on another row for every row. `npm run find-orphans` looks for what they would have refused.
-- docs/adr/0010-no-foreign-keys-on-the-hot-tables.md

-- Makes the three partitions of a day (UTC), each that is not there, and attaches each that is; false when all of them were
-- attached. Made aside and then attached, which stops neither readers nor writers.
CREATE OR REPLACE FUNCTION "make_partitions"("day" DATE) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
  suffix TEXT := to_char("day", 'YYYYMMDD');
  lowest UUID := uuidv7_floor("day"::timestamp AT TIME ZONE 'UTC');
  above UUID := uuidv7_floor(("day" + 1)::timestamp AT TIME ZONE 'UTC');
  parent TEXT;
  part TEXT;
  half_detached BOOLEAN;
BEGIN
  IF attached_partitions("day") = 3 THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  IF attached_partitions("day") = 3 THEN
    RETURN false;
  END IF;
  FOREACH parent IN ARRAY ARRAY['drift_events', 'deliveries', 'attempts'] LOOP
    part := parent || '_' || suffix;
    SELECT inhdetachpending INTO half_detached FROM pg_inherits WHERE inhparent = parent::regclass AND inhrelid = to_regclass(part);
    IF FOUND AND NOT half_detached THEN
      CONTINUE;
    END IF;
    IF half_detached THEN
      EXECUTE format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', parent, part);
    END IF;
    IF to_regclass(part) IS NULL THEN
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, lowest, above);
  END LOOP;
  -- Every row is updated twice within seconds and then never again: vacuum early, by count rather than by share, and leave
  -- a page room for the second version of each of its rows.
  EXECUTE format(
    'ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.05, fillfactor = 45)',
    'deliveries_' || suffix);
  RETURN true;
END
$$;

-- Dropping a foreign key takes an exclusive lock on both of its tables, for a moment that no row makes longer; but who waits for such a
-- lock has everybody else wait behind him. So none is waited for longer than 500 ms (below deadlock_timeout: it is always this that
-- gives way, and never a claim or a record); then all are let go, and taken again a second later. Vacuums are sent away before, by a
-- lock that is in nobody else's way.
DO $$
DECLARE
  patience TIMESTAMPTZ := clock_timestamp() + interval '2 minutes';
  foreign_key RECORD;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  PERFORM set_config('lock_timeout', '30s', true);
  LOCK TABLE "drift_events", "deliveries", "attempts" IN SHARE UPDATE EXCLUSIVE MODE;
  LOOP
    BEGIN
      PERFORM set_config('lock_timeout', '500ms', true);
      LOCK TABLE "drift_events", "deliveries", "attempts", "endpoints", "customers" IN ACCESS EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF clock_timestamp() > patience THEN
        RAISE;
      END IF;
    END;
    PERFORM pg_sleep(1);
  END LOOP;
  -- Of the tables, of their days, and of days that somebody has detached. What a day has from its table goes with that one's.
  FOR foreign_key IN
    SELECT conrelid::regclass AS of_table, conname AS name FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype = 'f' AND conparentid = 0 AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'deliveries'::regclass)
      AND relname ~ '^(drift_events|deliveries|attempts)(_\d{8})?$'
    ORDER BY conrelid
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', foreign_key.of_table, foreign_key.name);
  END LOOP;
END
$$;
