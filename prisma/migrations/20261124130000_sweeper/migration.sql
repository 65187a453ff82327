-- What the sweeper needs: who held a lease that ran out, what is due and not started, and which Redis the jobs are in.

-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN "claimed_generation" INTEGER;

-- CreateTable
CREATE TABLE "queue_epoch" (
    "is_only" BOOLEAN NOT NULL DEFAULT true,
    "epoch" TEXT NOT NULL,
    "noticed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "queue_epoch_pkey" PRIMARY KEY ("is_only")
);

-- From here on: what Prisma's schema language has no word for.

-- One row at most.
ALTER TABLE "queue_epoch" ADD CONSTRAINT "queue_epoch_is_only" CHECK ("is_only");

-- What the overdue gauge reads: unfinished deliveries that nobody is sending, by the time they are due.
CREATE INDEX "deliveries_due_idx" ON "deliveries"("next_attempt_at") WHERE "next_attempt_at" IS NOT NULL AND "lease_expires_at" IS NULL;
