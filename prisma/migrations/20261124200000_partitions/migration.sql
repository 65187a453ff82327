-- Events, deliveries and attempts by day: a table stays small and quick, and a day that nobody needs any more is dropped
-- as a whole. All ids of an event carry its millisecond, so an event, its deliveries and their attempts share a day.
-- docs/adr/0006-partitions-by-day.md

-- What is there moves aside, and into its partitions below. By name and not into another schema, for which the role would need
-- a right on the whole database; the names of indexes go with the tables'.
ALTER TABLE "idempotency_keys" DROP CONSTRAINT "idempotency_keys_customer_id_event_id_fkey";
DO $$
DECLARE
  unpartitioned TEXT;
  index_of_it TEXT;
BEGIN
  FOREACH unpartitioned IN ARRAY ARRAY['drift_events', 'deliveries', 'attempts'] LOOP
    FOR index_of_it IN SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass(unpartitioned) LOOP
      EXECUTE format('ALTER INDEX %I RENAME TO %I', index_of_it, 'unpartitioned_' || index_of_it);
    END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', unpartitioned, 'unpartitioned_' || unpartitioned);
  END LOOP;
END
$$;

CREATE TABLE "drift_events" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "event_type" TEXT NOT NULL,
    "drift_type" TEXT NOT NULL,
    "severity" DOUBLE PRECISION NOT NULL,
    "request_id" UUID NOT NULL,
    "occurred_at" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "drift_events_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

CREATE TABLE "deliveries" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_type" TEXT NOT NULL,
    "status" "delivery_status" NOT NULL DEFAULT 'pending',
    "failure_reason" "failure_reason",
    "max_attempts" INTEGER NOT NULL,
    "round" INTEGER NOT NULL DEFAULT 1,
    "failed_count" INTEGER NOT NULL DEFAULT 0,
    "starts" INTEGER NOT NULL DEFAULT 0,
    "fence" INTEGER NOT NULL DEFAULT 1,
    "lease_expires_at" TIMESTAMPTZ(3),
    "generation" INTEGER NOT NULL DEFAULT 1,
    "claimed_generation" INTEGER,
    "recover_at" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3),
    "last_attempt_at" TIMESTAMPTZ(3),
    "response_code" INTEGER,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "deliveries_unfinished_has_deadline" CHECK (("status" IN ('pending', 'retrying')) = ("recover_at" IS NOT NULL)),
    CONSTRAINT "deliveries_unfinished_has_next_attempt" CHECK (("status" IN ('pending', 'retrying')) = ("next_attempt_at" IS NOT NULL)),
    CONSTRAINT "deliveries_finished_has_completion" CHECK (("status" IN ('success', 'failed', 'cancelled')) = ("completed_at" IS NOT NULL)),
    CONSTRAINT "deliveries_reason_iff_unsuccessful" CHECK (("status" IN ('failed', 'cancelled')) = ("failure_reason" IS NOT NULL)),
    CONSTRAINT "deliveries_lease_only_unfinished" CHECK ("lease_expires_at" IS NULL OR "status" IN ('pending', 'retrying'))
) PARTITION BY RANGE ("id");

CREATE TABLE "attempts" (
    "delivery_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "customer_id" UUID NOT NULL,
    "round" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "duration_ms" DOUBLE PRECISION,
    "phases" JSONB,
    "request_headers" JSONB,
    "outcome" "outcome_kind" NOT NULL,
    "response_code" INTEGER,
    "response_headers" JSONB,
    "response_body" TEXT,
    "error" TEXT,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("delivery_id","number")
) PARTITION BY RANGE ("delivery_id");

CREATE UNIQUE INDEX "drift_events_customer_id_id_key" ON "drift_events"("customer_id", "id");
CREATE INDEX "drift_events_customer_id_event_type_id_idx" ON "drift_events"("customer_id", "event_type", "id");
CREATE INDEX "drift_events_customer_id_drift_type_id_idx" ON "drift_events"("customer_id", "drift_type", "id");
CREATE INDEX "drift_events_request_id_idx" ON "drift_events"("request_id");
CREATE UNIQUE INDEX "deliveries_customer_id_id_key" ON "deliveries"("customer_id", "id");
-- The states people look for. What is pending is new and what succeeded is common, so both are found among the latest rows, and
-- a delivery that succeeds at once is never in this index.
CREATE INDEX "deliveries_customer_id_status_id_idx" ON "deliveries"("customer_id", "status", "id") WHERE "status" IN ('retrying', 'failed', 'cancelled');
CREATE INDEX "deliveries_customer_id_event_type_id_idx" ON "deliveries"("customer_id", "event_type", "id");
CREATE INDEX "deliveries_endpoint_id_id_idx" ON "deliveries"("endpoint_id", "id");
CREATE INDEX "deliveries_event_id_idx" ON "deliveries"("event_id");
CREATE INDEX "deliveries_recover_at_idx" ON "deliveries"("recover_at") WHERE "recover_at" IS NOT NULL;
CREATE INDEX "deliveries_due_idx" ON "deliveries"("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL AND "lease_expires_at" IS NULL;

-- Purged with their events, by the day of the event.
DROP INDEX "idempotency_keys_customer_id_event_id_idx";
CREATE INDEX "idempotency_keys_event_id_idx" ON "idempotency_keys"("event_id");

ALTER TABLE "drift_events" ADD CONSTRAINT "drift_events_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_customer_id_endpoint_id_fkey" FOREIGN KEY ("customer_id", "endpoint_id") REFERENCES "endpoints"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The lowest UUIDv7 of an instant: the border between what came before it and what comes from then on.
CREATE FUNCTION "uuidv7_floor"("at" TIMESTAMPTZ) RETURNS UUID
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(
  overlay('\x00000000000000000000000000000000'::bytea PLACING substring(int8send(floor(extract(epoch FROM "at") * 1000)::bigint) FROM 3) FROM 1 FOR 6),
  'hex')::uuid;

-- Makes the three partitions of a day (UTC); false when they are there. The foreign keys between them are theirs and not
-- the parents': both ends of each are in the same day, so a check looks at one table, and a day can be dropped.
-- Made aside and then attached, which stops neither readers nor writers.
CREATE FUNCTION "make_partitions"("day" DATE) RETURNS BOOLEAN
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
  -- Every row is updated twice within seconds and then never again: vacuum early, by count rather than by share.
  EXECUTE format(
    'ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.05, fillfactor = 85)',
    'deliveries_' || suffix);
  RETURN true;
END
$$;

-- Drops a day: attempts, deliveries and then events. 'unfinished' when one of its deliveries is not at its end: then it
-- stays. 'missing' when it is not there. Raises lock_not_available rather than make others wait.
CREATE FUNCTION "drop_partitions"("day" DATE) RETURNS TEXT
LANGUAGE plpgsql AS $$
DECLARE
  suffix TEXT := to_char("day", 'YYYYMMDD');
  unfinished BOOLEAN;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  IF to_regclass('drift_events_' || suffix) IS NULL THEN
    RETURN 'missing';
  END IF;
  -- Below deadlock_timeout: it is always this that gives way, and never a claim or a record.
  SET LOCAL lock_timeout = '500ms';
  LOCK TABLE ONLY "drift_events", ONLY "deliveries", ONLY "attempts" IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE recover_at IS NOT NULL)', 'deliveries_' || suffix) INTO unfinished;
  IF unfinished THEN
    RETURN 'unfinished';
  END IF;
  EXECUTE format('DROP TABLE %I, %I, %I', 'attempts_' || suffix, 'deliveries_' || suffix, 'drift_events_' || suffix);
  RETURN 'dropped';
END
$$;

-- A week ahead, and every day that has rows.
SELECT make_partitions(day::date) FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 7, interval '1 day') AS day;
SELECT make_partitions(day) FROM (SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date AS day FROM "unpartitioned_drift_events") AS days;

INSERT INTO "drift_events" (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
SELECT id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at FROM "unpartitioned_drift_events";
INSERT INTO "deliveries" (id, customer_id, event_id, endpoint_id, event_type, status, failure_reason, max_attempts, round, failed_count,
  starts, fence, lease_expires_at, generation, claimed_generation, recover_at, next_attempt_at, last_attempt_at, response_code,
  last_error, created_at, completed_at)
SELECT id, customer_id, event_id, endpoint_id, event_type, status, failure_reason, max_attempts, round, failed_count,
  starts, fence, lease_expires_at, generation, claimed_generation, recover_at, next_attempt_at, last_attempt_at, response_code,
  last_error, created_at, completed_at FROM "unpartitioned_deliveries";
INSERT INTO "attempts" (delivery_id, number, customer_id, round, started_at, duration_ms, phases, request_headers, outcome,
  response_code, response_headers, response_body, error)
SELECT delivery_id, number, customer_id, round, started_at, duration_ms, phases, request_headers, outcome,
  response_code, response_headers, response_body, error FROM "unpartitioned_attempts";
DROP TABLE "unpartitioned_attempts", "unpartitioned_deliveries", "unpartitioned_drift_events";
