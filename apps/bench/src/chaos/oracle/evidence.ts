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

export type EndpointRow = { id: string; name: string; isActive: boolean };

/** What a receiver saw. `status` is null when it sent no complete head, `endedAt` while the request is still open. */
export type ReceivedRequest = {
  deliveryId: string;
  number: number;
  webhookId: string;
  endpoint: string;
  arrivedAt: number;
  status: number | null;
  endedAt: number | null;
};

/** Of one day and kind: how many there are, and the ids of some. */
export type OrphanedRows = { what: string; orphans: number; examples: string[] };

export type Promises = { leaseMs: number; maxStarts: number };

export type Evidence = {
  acknowledged: readonly AcknowledgedEvent[];
  eventIds: readonly string[];
  deliveries: readonly DeliveryRow[];
  attempts: readonly AttemptRow[];
  endpoints: readonly EndpointRow[];
  requests: readonly ReceivedRequest[];
  orphans: readonly OrphanedRows[];
  promises: Promises;
};

/** A promise that was broken: which, by what, in one plain sentence. */
export type Violation = { rule: string; ids: string[]; sentence: string };
