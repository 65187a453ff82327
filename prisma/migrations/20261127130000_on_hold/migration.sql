-- An endpoint may be put on hold: its deliveries are accepted and wait, until it is taken off. A constant default touches no row.
ALTER TABLE "endpoints" ADD COLUMN "on_hold" BOOLEAN NOT NULL DEFAULT false;
