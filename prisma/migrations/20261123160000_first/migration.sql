-- Written by Prisma's diff engine from schema.prisma, then completed by hand below the last foreign key.
-- It runs as one transaction (see packages/database/src/schema-engine.ts).

-- CreateEnum
CREATE TYPE "api_key_role" AS ENUM ('admin', 'producer', 'viewer');

-- CreateEnum
CREATE TYPE "inactive_reason" AS ENUM ('paused', 'gone');

-- CreateEnum
CREATE TYPE "delivery_status" AS ENUM ('pending', 'retrying', 'success', 'failed', 'cancelled');

-- CreateEnum
CREATE TYPE "failure_reason" AS ENUM ('exhausted', 'gone', 'blocked', 'indeterminate', 'endpoint_inactive', 'endpoint_deleted');

-- CreateEnum
CREATE TYPE "outcome_kind" AS ENUM ('response', 'timeout', 'dns', 'refused', 'reset', 'tls', 'protocol', 'blocked', 'unknown');

-- CreateTable
CREATE TABLE "customers" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "customer_id" UUID,
    "role" "api_key_role" NOT NULL,
    "name" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "endpoints" (
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" TEXT[],
    "min_severity" DOUBLE PRECISION,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "inactive_reason" "inactive_reason",
    "version" INTEGER NOT NULL DEFAULT 1,
    "secret_sealed" TEXT,
    "previous_secret_sealed" TEXT,
    "previous_secret_expires_at" TIMESTAMPTZ(3),
    "header_names" TEXT[],
    "headers_sealed" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "endpoints_pkey" PRIMARY KEY ("id")
);

-- CreateTable
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
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "customer_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "event_id" UUID NOT NULL,
    "body_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("customer_id","key")
);

-- CreateTable
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
    "recover_at" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3),
    "last_attempt_at" TIMESTAMPTZ(3),
    "response_code" INTEGER,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
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
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" UUID NOT NULL,
    "customer_id" UUID,
    "actor_key_id" UUID,
    "action" TEXT NOT NULL,
    "subject_type" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "detail" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "api_keys_customer_id_id_idx" ON "api_keys"("customer_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "endpoints_customer_id_id_key" ON "endpoints"("customer_id", "id");

-- CreateIndex
CREATE INDEX "drift_events_customer_id_event_type_id_idx" ON "drift_events"("customer_id", "event_type", "id");

-- CreateIndex
CREATE INDEX "drift_events_customer_id_drift_type_id_idx" ON "drift_events"("customer_id", "drift_type", "id");

-- CreateIndex
CREATE INDEX "drift_events_request_id_idx" ON "drift_events"("request_id");

-- CreateIndex
CREATE UNIQUE INDEX "drift_events_customer_id_id_key" ON "drift_events"("customer_id", "id");

-- CreateIndex
CREATE INDEX "idempotency_keys_customer_id_event_id_idx" ON "idempotency_keys"("customer_id", "event_id");

-- CreateIndex
CREATE INDEX "deliveries_customer_id_status_id_idx" ON "deliveries"("customer_id", "status", "id");

-- CreateIndex
CREATE INDEX "deliveries_customer_id_event_type_id_idx" ON "deliveries"("customer_id", "event_type", "id");

-- CreateIndex
CREATE INDEX "deliveries_endpoint_id_id_idx" ON "deliveries"("endpoint_id", "id");

-- CreateIndex
CREATE INDEX "deliveries_event_id_idx" ON "deliveries"("event_id");

-- CreateIndex
CREATE UNIQUE INDEX "deliveries_customer_id_id_key" ON "deliveries"("customer_id", "id");

-- CreateIndex
CREATE INDEX "audit_log_customer_id_id_idx" ON "audit_log"("customer_id", "id");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoints" ADD CONSTRAINT "endpoints_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "drift_events" ADD CONSTRAINT "drift_events_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_customer_id_event_id_fkey" FOREIGN KEY ("customer_id", "event_id") REFERENCES "drift_events"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_customer_id_event_id_fkey" FOREIGN KEY ("customer_id", "event_id") REFERENCES "drift_events"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_customer_id_endpoint_id_fkey" FOREIGN KEY ("customer_id", "endpoint_id") REFERENCES "endpoints"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_customer_id_delivery_id_fkey" FOREIGN KEY ("customer_id", "delivery_id") REFERENCES "deliveries"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- From here on: what Prisma's schema language has no word for.
-- packages/database/test/migrations.test.ts asserts each of these by name.

-- A deleted endpoint's name is free again.
CREATE UNIQUE INDEX "endpoints_customer_id_name_live_key" ON "endpoints"("customer_id", "name") WHERE "deleted_at" IS NULL;

-- What the sweeper reads: unfinished deliveries by deadline.
CREATE INDEX "deliveries_recover_at_idx" ON "deliveries"("recover_at") WHERE "recover_at" IS NOT NULL;

ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_platform_is_admin" CHECK ("customer_id" IS NOT NULL OR "role" = 'admin');

ALTER TABLE "endpoints"
  ADD CONSTRAINT "endpoints_inactive_has_reason" CHECK ("active" = ("inactive_reason" IS NULL)),
  ADD CONSTRAINT "endpoints_deleted_has_no_secret" CHECK (("deleted_at" IS NULL) = ("secret_sealed" IS NOT NULL)),
  ADD CONSTRAINT "endpoints_previous_secret_expires" CHECK (("previous_secret_sealed" IS NULL) = ("previous_secret_expires_at" IS NULL));

ALTER TABLE "deliveries"
  ADD CONSTRAINT "deliveries_unfinished_has_deadline" CHECK (("status" IN ('pending', 'retrying')) = ("recover_at" IS NOT NULL)),
  ADD CONSTRAINT "deliveries_unfinished_has_next_attempt" CHECK (("status" IN ('pending', 'retrying')) = ("next_attempt_at" IS NOT NULL)),
  ADD CONSTRAINT "deliveries_finished_has_completion" CHECK (("status" IN ('success', 'failed', 'cancelled')) = ("completed_at" IS NOT NULL)),
  ADD CONSTRAINT "deliveries_reason_iff_unsuccessful" CHECK (("status" IN ('failed', 'cancelled')) = ("failure_reason" IS NOT NULL)),
  ADD CONSTRAINT "deliveries_lease_only_unfinished" CHECK ("lease_expires_at" IS NULL OR "status" IN ('pending', 'retrying'));

-- UUIDv7 (RFC 9562) that carries the given instant, so that all ids of an event share its millisecond and the tables
-- can be range-partitioned by id. Postgres has a uuidv7() of its own only from 18 on, and it takes no instant.
CREATE FUNCTION "uuidv7_at"("at" TIMESTAMPTZ) RETURNS UUID
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(
  set_bit(
    set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(floor(extract(epoch FROM "at") * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1),
    53, 1),
  'hex')::uuid;
