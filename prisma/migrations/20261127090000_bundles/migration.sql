-- The job that a delivery shares with others of its statement; null while it has a job of its own, whose id follows from the
-- delivery's. Without a default, so that no row is touched, and in no index, so that no claim or record costs more.
ALTER TABLE "deliveries" ADD COLUMN "job_id" UUID;
