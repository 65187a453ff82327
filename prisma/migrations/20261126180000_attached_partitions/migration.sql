-- A day is there when its three partitions are attached; a table of the right name may have been detached.

-- How many of a day's three partitions are attached. One whose detaching was begun and not completed takes no rows any more.
CREATE FUNCTION "attached_partitions"("day" DATE) RETURNS INTEGER
LANGUAGE sql STABLE
RETURN (
  SELECT count(*)::int
  FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent JOIN pg_class child ON child.oid = inhrelid
  WHERE inhparent IN ('drift_events'::regclass, 'deliveries'::regclass, 'attempts'::regclass)
    AND NOT inhdetachpending AND child.relname = parent.relname || '_' || to_char("day", 'YYYYMMDD')
);

-- Makes the three partitions of a day (UTC), each that is not there, and attaches each that is; false when all of them were
-- attached. The foreign keys between them are theirs and not the parents': both ends of each are in the same day, so a
-- check looks at one table, and a day can be dropped. Made aside and then attached, which stops neither readers nor writers.
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
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('deliveries_' || suffix) AND conname = 'deliveries_' || suffix || '_event_fkey') THEN
    EXECUTE format(
      'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (customer_id, event_id) REFERENCES %I (customer_id, id) ON DELETE RESTRICT ON UPDATE CASCADE',
      'deliveries_' || suffix, 'deliveries_' || suffix || '_event_fkey', 'drift_events_' || suffix);
  END IF;
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('attempts_' || suffix) AND conname = 'attempts_' || suffix || '_delivery_fkey') THEN
    EXECUTE format(
      'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (customer_id, delivery_id) REFERENCES %I (customer_id, id) ON DELETE RESTRICT ON UPDATE CASCADE',
      'attempts_' || suffix, 'attempts_' || suffix || '_delivery_fkey', 'deliveries_' || suffix);
  END IF;
  -- Every row is updated twice within seconds and then never again: vacuum early, by count rather than by share, and leave
  -- a page room for the second version of each of its rows.
  EXECUTE format(
    'ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.05, fillfactor = 45)',
    'deliveries_' || suffix);
  RETURN true;
END
$$;

-- Drops a day: attempts, deliveries and then events, as many of these tables as there are. 'unfinished' when one of its deliveries
-- is not at its end: then it stays. 'missing' when there is none of them. Raises lock_not_available rather than make others wait.
CREATE OR REPLACE FUNCTION "drop_partitions"("day" DATE) RETURNS TEXT
LANGUAGE plpgsql AS $$
DECLARE
  suffix TEXT := to_char("day", 'YYYYMMDD');
  parts TEXT;
  unfinished BOOLEAN := false;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  SELECT string_agg(format('%I', parent || '_' || suffix), ', ') INTO parts
  FROM unnest(ARRAY['attempts', 'deliveries', 'drift_events']) AS parent WHERE to_regclass(parent || '_' || suffix) IS NOT NULL;
  IF parts IS NULL THEN
    RETURN 'missing';
  END IF;
  -- Below deadlock_timeout: it is always this that gives way, and never a claim or a record.
  SET LOCAL lock_timeout = '500ms';
  LOCK TABLE ONLY "drift_events", ONLY "deliveries", ONLY "attempts" IN ACCESS EXCLUSIVE MODE;
  IF to_regclass('deliveries_' || suffix) IS NOT NULL THEN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE recover_at IS NOT NULL)', 'deliveries_' || suffix) INTO unfinished;
  END IF;
  IF unfinished THEN
    RETURN 'unfinished';
  END IF;
  EXECUTE 'DROP TABLE ' || parts;
  RETURN 'dropped';
END
$$;

-- The time of an event that is stored now; refused (DW001) when it is further from now than that, for then somebody who lists what is
-- newer than what he has seen would never see it. NULL: any time.
CREATE FUNCTION "time_within"("at" TIMESTAMPTZ, "within" INTERVAL) RETURNS TIMESTAMPTZ
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF "at" NOT BETWEEN now() - "within" AND now() + "within" THEN
    RAISE EXCEPTION '% is not within % of now, %', "at", "within", now() USING ERRCODE = 'DW001';
  END IF;
  RETURN "at";
END
$$;
