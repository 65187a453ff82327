/** Everything one attempt needs. Sealed values are opened by the caller, who keeps them by (endpointId, version). */
export type Claim = {
  deliveryId: string;
  /** Postgres's clock at the claim, in milliseconds since 1970: the one clock that all workers share. */
  claimedAtMs: number;
  customerId: string;
  eventId: string;
  eventType: string;
  body: string;
  /** The attempt's number; a record with another number is not from the holder of this lease. */
  fence: number;
  round: number;
  failedCount: number;
  maxAttempts: number;
  /** Its endpoint's circuit is open, and this asks whether it may be closed. */
  isProbe: boolean;
  /** Others of its endpoint are held, and wait for this one to be over. */
  isCrowded: boolean;
  endpoint: SealedEndpoint;
};

export type SealedEndpoint = {
  id: string;
  version: number;
  url: string;
  secretSealed: string;
  /** Null when there is none or its overlap has ended. */
  previousSecretSealed: string | null;
  headersSealed: string | null;
};

/**
 * `wait`: not due yet, in flight or granted elsewhere, or locked at this moment; ask again after `waitMs`. `hold`: nothing is to be sent to its endpoint
 * now. `ended`: this claim ended the delivery. `finished`, `superseded`, `missing`: nothing to do for this job.
 */
export type ClaimAnswer = { deliveryId: string } & (
  | { verdict: 'claimed'; claim: Claim }
  | { verdict: 'wait'; waitMs: number }
  | { verdict: 'hold'; reason: HeldBack; endpointId: string }
  | { verdict: 'ended'; reason: 'endpoint_inactive' | 'endpoint_deleted' | 'indeterminate' }
  | { verdict: 'finished' | 'superseded' | 'missing' }
);

/** Why a delivery that is due must not be sent: a person has put its endpoint on hold, its circuit is open, or it has limits and no grant. */
export type HeldBack = 'on_hold' | 'circuit_open' | 'rate_limited';

/** Of a row that somebody else has locked. */
export const LOCKED_WAIT_MS = 100;

export function passedOverAnswer(deliveryId: string, isLocked: boolean): ClaimAnswer {
  return isLocked ? { deliveryId, verdict: 'wait', waitMs: LOCKED_WAIT_MS } : { deliveryId, verdict: 'missing' };
}

type ClaimedRow = {
  verdict: 'claimed';
  delivery_id: string;
  customer_id: string;
  event_id: string;
  event_type: string;
  body: string;
  fence: number;
  round: number;
  failed_count: number;
  max_attempts: number;
  is_probe: boolean;
  is_crowded: boolean;
  endpoint_id: string;
  version: number;
  url: string;
  secret_sealed: string;
  previous_secret_sealed: string | null;
  headers_sealed: string | null;
  claimed_at_ms: number;
};

export type ClaimRow =
  | ClaimedRow
  | {
      verdict:
        | 'wait'
        | 'passed_over'
        | 'finished'
        | 'superseded'
        | HeldBack
        | 'endpoint_inactive'
        | 'endpoint_deleted'
        | 'indeterminate';
      delivery_id: string;
      endpoint_id: string;
      wait_ms: number;
    };

export function claimAnswer(row: ClaimRow): ClaimAnswer {
  const deliveryId = row.delivery_id;
  switch (row.verdict) {
    case 'claimed':
      return { deliveryId, verdict: 'claimed', claim: claimOf(row) };
    case 'passed_over':
      return passedOverAnswer(deliveryId, true);
    case 'wait':
      return { deliveryId, verdict: 'wait', waitMs: Math.max(row.wait_ms, 1) };
    case 'finished':
    case 'superseded':
      return { deliveryId, verdict: row.verdict };
    case 'on_hold':
    case 'circuit_open':
    case 'rate_limited':
      return { deliveryId, verdict: 'hold', reason: row.verdict, endpointId: row.endpoint_id };
    default:
      return { deliveryId, verdict: 'ended', reason: row.verdict };
  }
}

function claimOf(row: ClaimedRow): Claim {
  return {
    deliveryId: row.delivery_id,
    claimedAtMs: row.claimed_at_ms,
    customerId: row.customer_id,
    eventId: row.event_id,
    eventType: row.event_type,
    body: row.body,
    fence: row.fence,
    round: row.round,
    failedCount: row.failed_count,
    maxAttempts: row.max_attempts,
    isProbe: row.is_probe,
    isCrowded: row.is_crowded,
    endpoint: {
      id: row.endpoint_id,
      version: row.version,
      url: row.url,
      secretSealed: row.secret_sealed,
      previousSecretSealed: row.previous_secret_sealed,
      headersSealed: row.headers_sealed,
    },
  };
}
