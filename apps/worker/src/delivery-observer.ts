import { isPostgresUnavailable } from '@driftwire/database';
import type { Log } from '@driftwire/runtime';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DeliveryObserver } from './deliver.js';

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];

/** One wide log line and one count per unit of work. A receiver that fails is `info`: nobody here has to act. */
export function createDeliveryObserver(log: Log, registry: Registry): DeliveryObserver {
  const { attempts, duration, refusals, unreadable, withheld, interruptions } = deliveryMetrics(registry);

  return {
    attempted(claim, report, transition, moved) {
      attempts.inc({ outcome: report.outcome.kind, to: moved ? transition.to : 'unmoved' });
      duration.observe(report.durationMs / 1000);
      log.info(
        {
          delivery_id: claim.deliveryId,
          event_id: claim.eventId,
          endpoint_id: claim.endpoint.id,
          customer_id: claim.customerId,
          attempt: claim.fence,
          outcome: report.outcome.kind,
          response_code: report.response?.status,
          duration_ms: report.durationMs,
          stale_connection_ms: report.phases.stale_connection,
          to: moved ? transition.to : 'unmoved',
          reason: transition.to === 'failed' ? transition.reason : undefined,
          delay_ms: transition.to === 'retrying' ? transition.delayMs : undefined,
        },
        'delivery.attempted',
      );
    },
    refused(answer) {
      const reason = answer.verdict === 'ended' ? answer.reason : answer.verdict;
      refusals.inc({ reason });
      const level = answer.verdict === 'missing' ? 'warn' : answer.verdict === 'ended' ? 'info' : 'debug';
      log[level]({ delivery_id: answer.deliveryId, reason }, 'delivery.refused');
    },
    endpointDeactivated(claim) {
      log.info(
        { endpoint_id: claim.endpoint.id, customer_id: claim.customerId, reason: 'gone' },
        'endpoint.deactivated',
      );
    },
    secretUnreadable(claim) {
      unreadable.inc();
      log.error(
        { delivery_id: claim.deliveryId, endpoint_id: claim.endpoint.id },
        'endpoint.secret_unreadable: is its key still in ENCRYPTION_KEYS?',
      );
    },
    withheld(claim, reason) {
      withheld.inc({ reason });
      log[reason === 'late' ? 'warn' : 'info'](
        { delivery_id: claim.deliveryId, endpoint_id: claim.endpoint.id, customer_id: claim.customerId, reason },
        'delivery.withheld: no request was made, so it is no attempt',
      );
    },
    interrupted(job, error) {
      const reason = isPostgresUnavailable(error) ? 'postgres_unavailable' : 'bug';
      interruptions.inc({ reason });
      log[reason === 'bug' ? 'error' : 'warn'](
        { delivery_id: job.deliveryId, reason, err: error },
        'delivery.interrupted',
      );
    },
  };
}

function deliveryMetrics(registry: Registry) {
  const registers = [registry];
  const attempts = new Counter({
    name: 'driftwire_attempts_total',
    help: 'Attempts recorded, by outcome and by what became of the delivery.',
    labelNames: ['outcome', 'to'],
    registers,
  });
  const duration = new Histogram({
    name: 'driftwire_attempt_duration_seconds',
    help: 'One request to a receiver, from DNS lookup to the last byte read.',
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  const refusals = new Counter({
    name: 'driftwire_claims_refused_total',
    help: 'Jobs whose delivery needed no attempt, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const unreadable = new Counter({
    name: 'driftwire_unreadable_secrets_total',
    help: 'Claims given back because a secret could not be decrypted. Anything above 0 needs a person.',
    registers,
  });
  const withheld = new Counter({
    name: 'driftwire_deliveries_withheld_total',
    help: 'Claims given back before a request was made, by reason: late (the process was stopped or its loop blocked), no_lookup (too many names are not resolved), off_pace (the moment that a rate had for it was over).',
    labelNames: ['reason'],
    registers,
  });
  const interruptions = new Counter({
    name: 'driftwire_deliveries_interrupted_total',
    help: 'Jobs that stopped before an outcome was on record, and run again. A reason of bug needs a person.',
    labelNames: ['reason'],
    registers,
  });
  return { attempts, duration, refusals, unreadable, withheld, interruptions };
}

/** How many deliveries this process is working on. */
export function countInFlight<Input extends unknown[], Result>(
  run: (...input: Input) => Promise<Result>,
  registry: Registry,
): (...input: Input) => Promise<Result> {
  const inFlight = new Gauge({
    name: 'driftwire_deliveries_in_flight',
    help: 'Deliveries this worker is working on now, whatever jobs they came in.',
    registers: [registry],
  });
  return async (...input) => {
    inFlight.inc();
    return run(...input).finally(() => inFlight.dec());
  };
}

/** Read when it is asked for. */
export function observePlaces(placesTaken: () => number, registry: Registry): void {
  new Gauge({
    name: 'driftwire_places_taken',
    help: 'Places of this worker that are taken, of WORKER_CONCURRENCY: requests that are out, or about to go.',
    registers: [registry],
    collect() {
      this.set(placesTaken());
    },
  });
}
