-- The audit log, which nothing has written yet, gets an actor, the request's id and a lock.

CREATE TYPE "audit_actor" AS ENUM ('api_key', 'environment_key', 'driftwire');

ALTER TABLE "audit_log"
  ADD COLUMN "actor" "audit_actor" NOT NULL,
  ADD COLUMN "request_id" UUID,
  ADD CONSTRAINT "audit_log_actor_key" CHECK (("actor" = 'api_key') = ("actor_key_id" IS NOT NULL));

CREATE INDEX "audit_log_subject_id_id_idx" ON "audit_log"("subject_id", "id");

CREATE FUNCTION "refuse_change"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
