import type { AttemptRow, DeliveryRow, Evidence, OpenCircuit, OrphanedRows, ReceivedRequest } from './evidence.js';

export const LEASE_MS = 22_000;
/** Then only the fifth attempt and what follows are to come, one by one. */
export const CIRCUIT_OPENED_AT = 100_000;

/**
 * For the oracle's tests: a history with every proper ending, a retry, and a repeat after a lost outcome. The receiver gets as much as its limits
 * allow, and after a while nothing but probes.
 */
export function goodHistory() {
  const deliveries = [
    aDelivery('delivered', { status: 'success', starts: 2 }),
    aDelivery('repeated', { status: 'success', starts: 2 }),
    aDelivery('exhausted', { status: 'failed', failureReason: 'exhausted', starts: 4 }),
    aDelivery('gone', { status: 'failed', failureReason: 'gone' }),
    aDelivery('blocked', { status: 'failed', failureReason: 'blocked' }),
    aDelivery('indeterminate', { status: 'failed', failureReason: 'indeterminate', starts: 10 }),
    aDelivery('cancelled', {
      status: 'cancelled',
      failureReason: 'endpoint_inactive',
      endpointId: 'paused',
      starts: 0,
    }),
  ];
  const attempts = [
    anAttempt('delivered', 1, { responseCode: 500 }),
    anAttempt('delivered', 2, { sentAgain: true }),
    anAttempt('repeated', 1, { outcome: 'unknown', responseCode: null, durationMs: null }),
    anAttempt('repeated', 2),
    anAttempt('exhausted', 1, { responseCode: 503 }),
    anAttempt('exhausted', 2, { outcome: 'unknown', responseCode: null, durationMs: null }),
    anAttempt('exhausted', 3, { outcome: 'timeout', responseCode: null, durationMs: 2_000 }),
    anAttempt('exhausted', 4, { outcome: 'reset', responseCode: null }),
    anAttempt('gone', 1, { responseCode: 410 }),
    anAttempt('blocked', 1, { outcome: 'blocked', responseCode: null }),
    ...Array.from({ length: 10 }, (_, index) =>
      anAttempt('indeterminate', index + 1, { outcome: 'unknown', responseCode: null, durationMs: null }),
    ),
  ];
  const requests = attempts.filter(({ outcome }) => outcome !== 'blocked').flatMap(requestsOf);
  const history = {
    acknowledged: deliveries.map(({ id, eventId }, n) => ({ n, id: eventId, deliveryIds: [id] })),
    eventIds: deliveries.map(({ eventId }) => eventId),
    deliveries,
    attempts,
    endpoints: [
      { id: 'receiver', name: 'receiver', isActive: true, maxInFlight: 5, maxPerSecond: 4.5 },
      { id: 'paused', name: 'paused', isActive: false, maxInFlight: null, maxPerSecond: null },
    ],
    circuits: [
      { endpointId: 'receiver', openedAt: CIRCUIT_OPENED_AT, closedAt: null, isClosedByProbe: null },
    ] as OpenCircuit[],
    requests,
    orphans: [] as OrphanedRows[],
    promises: { requestTimeoutMs: 2_000, leaseMs: LEASE_MS, maxStarts: 10 },
  };
  return history satisfies Evidence;
}

export function aDelivery(id: string, overrides: Partial<DeliveryRow> = {}): DeliveryRow {
  return {
    id,
    eventId: `event of ${id}`,
    endpointId: 'receiver',
    status: 'success',
    failureReason: null,
    maxAttempts: 3,
    round: 1,
    starts: 1,
    holdReason: null,
    createdAt: 0,
    completedAt: 500_000,
    ...overrides,
  };
}

/** Each starts when the lease of the one before has just run out. */
export function anAttempt(deliveryId: string, number: number, overrides: Partial<AttemptRow> = {}): AttemptRow {
  const startedAt = number * (LEASE_MS + 10);
  return {
    deliveryId,
    number,
    round: 1,
    startedAt,
    durationMs: 20,
    outcome: 'response',
    responseCode: 200,
    sentAgain: false,
    ...overrides,
  };
}

/** A request that a closed connection lost may have been heard all the same. */
function requestsOf(attempt: AttemptRow): ReceivedRequest[] {
  const request = requestOf(attempt);
  return attempt.sentAgain ? [request, { ...request, status: null, arrivedAt: request.arrivedAt - 1 }] : [request];
}

function requestOf({ deliveryId, number, startedAt, responseCode, outcome }: AttemptRow): ReceivedRequest {
  const isLost = outcome === 'unknown' && deliveryId === 'repeated';
  return {
    deliveryId,
    number,
    webhookId: `event of ${deliveryId}`,
    endpoint: 'receiver',
    arrivedSince: startedAt + 3,
    arrivedAt: startedAt + 5,
    status: isLost ? 200 : responseCode,
    overAt: startedAt + 9,
    endedAt: startedAt + 10,
  };
}
