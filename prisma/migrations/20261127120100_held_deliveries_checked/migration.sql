-- Reads every delivery, and holds up nobody.
ALTER TABLE "deliveries" VALIDATE CONSTRAINT "deliveries_unfinished_is_due_or_held";
