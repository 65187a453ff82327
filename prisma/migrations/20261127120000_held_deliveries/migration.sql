-- A delivery may be held: in Postgres alone, without a job and without a deadline, until its endpoint has room for it.
-- docs/adr/0012-held-in-postgres.md

CREATE TYPE "hold_reason" AS ENUM ('crowded', 'circuit_open', 'rate_limited', 'on_hold', 'queue_away');

-- What is special about how fast an endpoint is served now. No row: nothing. Apart from "endpoints", whose versions must stay quiet.
CREATE TABLE "endpoint_flow" (
    "endpoint_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "crowded_at" TIMESTAMPTZ(3),

    CONSTRAINT "endpoint_flow_pkey" PRIMARY KEY ("endpoint_id")
);

ALTER TABLE "endpoint_flow" ADD CONSTRAINT "endpoint_flow_customer_id_endpoint_id_fkey" FOREIGN KEY ("customer_id", "endpoint_id") REFERENCES "endpoints"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A day with a delivery that is held is not at its end either.
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
    EXECUTE format(
      'SELECT EXISTS (SELECT FROM %1$I WHERE recover_at IS NOT NULL) OR EXISTS (SELECT FROM %1$I WHERE hold_reason IS NOT NULL)',
      'deliveries_' || suffix) INTO unfinished;
  END IF;
  IF unfinished THEN
    RETURN 'unfinished';
  END IF;
  EXECUTE 'DROP TABLE ' || parts;
  RETURN 'dropped';
END
$$;

-- The tables are changed in a moment that no row makes longer; but who waits for such a lock has everybody else wait behind him. So it
-- is not waited for longer than 500 ms (below deadlock_timeout: it is always this that gives way, and never a claim or a record), and
-- tried again a second later. Vacuums are sent away before, by a lock that is in nobody else's way.
DO $$
DECLARE
  patience TIMESTAMPTZ := clock_timestamp() + interval '2 minutes';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('driftwire.partitions'));
  PERFORM set_config('lock_timeout', '30s', true);
  LOCK TABLE "deliveries" IN SHARE UPDATE EXCLUSIVE MODE;
  LOOP
    BEGIN
      PERFORM set_config('lock_timeout', '500ms', true);
      LOCK TABLE "deliveries" IN ACCESS EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF clock_timestamp() > patience THEN
        RAISE;
      END IF;
    END;
    PERFORM pg_sleep(1);
  END LOOP;
END
$$;

-- Without defaults, so that no row is touched.
ALTER TABLE "deliveries"
  ADD COLUMN "hold_reason" "hold_reason",
  ADD COLUMN "held_since" TIMESTAMPTZ(3);

-- One CHECK instead of two, because Postgres reads each anew for every statement. What is there passes it: it is checked by the next
-- migration, which locks nobody out.
ALTER TABLE "deliveries"
  DROP CONSTRAINT "deliveries_unfinished_has_deadline",
  DROP CONSTRAINT "deliveries_unfinished_has_next_attempt",
  ADD CONSTRAINT "deliveries_unfinished_is_due_or_held" CHECK (
    CASE WHEN "hold_reason" IS NULL
      THEN ("status" IN ('pending', 'retrying')) = ("recover_at" IS NOT NULL) AND ("recover_at" IS NULL) = ("next_attempt_at" IS NULL)
      ELSE "status" IN ('pending', 'retrying') AND "recover_at" IS NULL AND "next_attempt_at" IS NULL AND "lease_expires_at" IS NULL
    END
  ) NOT VALID;

-- What is held, by endpoint and age. For the days that are made from now on; for those that are there it is built after the migrations,
-- one day at a time, while everybody writes on (packages/database/src/days-indexes.ts).
CREATE INDEX "deliveries_held_idx" ON ONLY "deliveries" ("endpoint_id", "id") WHERE "hold_reason" IS NOT NULL;
