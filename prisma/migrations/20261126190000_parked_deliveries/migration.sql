-- Deliveries that wait because a worker could not open their endpoint's secret. A table of its own: there are few of them, and an
-- index over "deliveries" would have to be built over all rows.
CREATE TABLE "parked_deliveries" (
    "delivery_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "endpoint_version" INTEGER NOT NULL,
    "is_damaged" BOOLEAN NOT NULL,
    "parked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "parked_deliveries_pkey" PRIMARY KEY ("delivery_id")
);

ALTER TABLE "parked_deliveries" ADD CONSTRAINT "parked_deliveries_customer_id_endpoint_id_fkey" FOREIGN KEY ("customer_id", "endpoint_id") REFERENCES "endpoints"("customer_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
