/** What the producer was told. */
export type AcknowledgedEvent = { n: number; id: string; deliveryIds: readonly string[] };

export type DeliveryStatus = 'pending' | 'retrying' | 'success' | 'failed' | 'cancelled';

/** What the database holds. Times are milliseconds since 1970. */
export type DeliveryRow = {
  id: string;
  eventId: string;
  endpointId: string;
  status: DeliveryStatus;
  failureReason: string | null;
  maxAttempts: number;
  round: number;
  starts: number;
  /** Why it waits in Postgres, without a job; null when it does not. */
  holdReason: string | null;
  createdAt: number;
  completedAt: number | null;
};

export type AttemptRow = {
  deliveryId: string;
  number: number;
  round: number;
  startedAt: number;
  durationMs: number | null;
  outcome: string;
  responseCode: number | null;
  /** Its connection had been closed, and the request went out once more on a new one. */
  sentAgain: boolean;
};

/** Null limits: none. */
export type EndpointRow = {
  id: string;
  name: string;
  isActive: boolean;
  maxInFlight: number | null;
  maxPerSecond: number | null;
};

/** A time for which the circuit of an endpoint was open, by the audit log. `closedAt` is null when it still is. */
export type OpenCircuit = {
  endpointId: string;
  openedAt: number;
  closedAt: number | null;
  isClosedByProbe: boolean | null;
};

/**
 * What a receiver saw. `status` is null when it sent no complete head, `endedAt` while the request is still open. What the receiver was slow
 * to read had arrived after `arrivedSince`; the sender may have known after `overAt`, by an answer or because it hung up, that it was over.
 */
export type ReceivedRequest = {
  deliveryId: string;
  number: number;
  webhookId: string;
  endpoint: string;
  arrivedSince: number;
  arrivedAt: number;
  status: number | null;
  overAt: number | null;
  endedAt: number | null;
};

/** Of one day and kind: how many there are, and the ids of some. */
export type OrphanedRows = { what: string; orphans: number; examples: string[] };

export type Promises = { requestTimeoutMs: number; leaseMs: number; maxStarts: number };

export type Evidence = {
  acknowledged: readonly AcknowledgedEvent[];
  eventIds: readonly string[];
  deliveries: readonly DeliveryRow[];
  attempts: readonly AttemptRow[];
  endpoints: readonly EndpointRow[];
  circuits: readonly OpenCircuit[];
  requests: readonly ReceivedRequest[];
  orphans: readonly OrphanedRows[];
  promises: Promises;
};

/** A promise that was broken: which, by what, in one plain sentence. */
export type Violation = { rule: string; ids: string[]; sentence: string };
