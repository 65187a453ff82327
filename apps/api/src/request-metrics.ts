import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Observes a request that has been answered. */
export type ObserveRequest = (request: FastifyRequest, reply: FastifyReply) => void;

/** Requests by route, never by path: a path holds ids. */
export function measureRequests(registry: Registry): ObserveRequest {
  const duration = new Histogram({
    name: 'driftwire_http_request_duration_seconds',
    help: 'API requests, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_S,
    registers: [registry],
  });
  return (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  };
}

export function acceptanceCounters(registry: Registry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'driftwire_drift_events_accepted_total',
      help: 'Drift events accepted; replayed ones created nothing.',
      labelNames: ['replayed'],
      registers,
    }),
    deliveries: new Counter({
      name: 'driftwire_deliveries_created_total',
      help: 'Deliveries created by accepted events.',
      registers,
    }),
    overflow: new Counter({
      name: 'driftwire_enqueue_overflow_total',
      help: 'Jobs that found no room in memory while Redis was away, and wait for the sweeper.',
      registers,
    }),
    enqueueFailures: new Counter({
      name: 'driftwire_enqueue_failures_total',
      help: 'Batches of jobs that Redis did not take; they stay in memory and are tried again.',
      registers,
    }),
  };
}

/** What Postgres is asked about every now and then, because storing events depends on it. */
export function storageGauges(registry: Registry) {
  const registers = [registry];
  return {
    daysAhead: new Gauge({
      name: 'driftwire_partition_days_ahead',
      help: 'Whole days from today on whose partitions are there, up to 8. At 0 no event can be stored.',
      registers,
    }),
    clockSkew: new Gauge({
      name: 'driftwire_clock_skew_seconds',
      help: "How far this host's clock is ahead of Postgres's; negative when behind.",
      registers,
    }),
  };
}
