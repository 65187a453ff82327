-- Circuits and limits of endpoints: docs/adr/0013-circuits.md and 0014-limits.md.

ALTER TYPE "failure_reason" ADD VALUE 'expired';

-- As in the migration of held deliveries: changed in a moment, and whoever waits for the lock does not make others wait.
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

-- Without a default, so that no row is touched, and in no index.
ALTER TABLE "deliveries" ADD COLUMN "granted_until" TIMESTAMPTZ(3);

-- Open while "circuit_opened_at" is set: then nothing is sent but one probe at a time, and what is accepted is held.
ALTER TABLE "endpoint_flow"
  ADD COLUMN "circuit_opened_at" TIMESTAMPTZ(3),
  ADD COLUMN "circuit_failures" INTEGER,
  ADD COLUMN "next_probe_at" TIMESTAMPTZ(3),
  ADD COLUMN "probe_wait_ms" INTEGER,
  ADD COLUMN "probe_delivery_id" UUID,
  ADD COLUMN "probe_until" TIMESTAMPTZ(3),
  -- Of the rate: to the microsecond, for an endpoint may get ten thousand a second.
  ADD COLUMN "next_slot_at" TIMESTAMPTZ(6),
  ADD CONSTRAINT "endpoint_flow_open_has_next_probe" CHECK (
    ("circuit_opened_at" IS NULL) = ("next_probe_at" IS NULL)
    AND ("circuit_opened_at" IS NULL) = ("circuit_failures" IS NULL)
    AND ("circuit_opened_at" IS NULL) = ("probe_wait_ms" IS NULL)
    AND ("probe_delivery_id" IS NULL) = ("probe_until" IS NULL)
    AND ("circuit_opened_at" IS NOT NULL OR "probe_delivery_id" IS NULL)
  );

ALTER TABLE "endpoints"
  ADD COLUMN "max_in_flight" INTEGER,
  ADD COLUMN "max_per_second" DOUBLE PRECISION,
  ADD CONSTRAINT "endpoints_limits_in_range" CHECK ("max_in_flight" BETWEEN 1 AND 1000 AND "max_per_second" BETWEEN 0.1 AND 10000);

-- One row for each request that an endpoint with "max_in_flight" may have in flight: whoever has it may send, until "until".
CREATE TABLE "endpoint_slots" (
    "endpoint_id" UUID NOT NULL,
    "slot" INTEGER NOT NULL,
    "customer_id" UUID NOT NULL,
    "delivery_id" UUID,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "endpoint_slots_pkey" PRIMARY KEY ("endpoint_id", "slot"),
    CONSTRAINT "endpoint_slots_taken_has_end" CHECK (("delivery_id" IS NULL) = ("until" IS NULL))
);
ALTER TABLE "endpoint_slots" ADD CONSTRAINT "endpoint_slots_customer_id_endpoint_id_fkey" FOREIGN KEY ("customer_id", "endpoint_id") REFERENCES "endpoints"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
