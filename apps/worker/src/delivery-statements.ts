import {
  type AttemptRecord,
  type ClaimAnswer,
  claimDeliveries,
  createBatcher,
  type Database,
  type HoldAnswer,
  type HoldRequest,
  holdDeliveries,
  isNoPartition,
  isPostgresUnavailable,
  type JobRef,
  type RecordAnswer,
  recordAttempts,
} from '@driftwire/database';
import type { ClockReading } from './clock-skew.js';

/** The two statements every attempt needs, and the one for deliveries that must wait, each run for many at once. */
export type DeliveryStatements = {
  claim: (job: JobRef) => Promise<ClaimAnswer>;
  /** Rejects with `DeliveryLocked` when the row is locked at this moment. */
  record: (record: AttemptRecord) => Promise<RecordAnswer>;
  hold: (delivery: HoldRequest) => Promise<HoldAnswer>;
};

export type DeliveryStatementsOptions = {
  leaseMs: number;
  /** See `recordAttempts`. */
  fenced: boolean;
  /** True when deliveries wait for a place in this worker, or might soon: then no record keeps one longer than it must. */
  isBusy: () => boolean;
  observeBatch: (statement: 'claim' | 'record' | 'hold', rows: number) => void;
  /** For each statement that claimed something. */
  readClock: (reading: ClockReading) => void;
};

/** Nothing is wrong: somebody else is writing this delivery's row, and the same record may go through a moment later. */
export class DeliveryLocked extends Error {
  override name = 'DeliveryLocked';
}

/** One statement at a time: a second one would halve the batches, and cost more than it would hurry. */
const BATCHES = { capacity: 200, lanes: 1, isOutage };
/** A webhook is sent after its claim, so claims that are few do not wait for each other; many share statements as above. */
const CLAIM_BATCHES = { ...BATCHES, lanes: 4, crowdedAt: 8 };

/**
 * The webhook is out, so nobody waits for its record but the place it takes in the worker: with places to spare, records
 * wait for company. What that saves in statements and in flushes of Postgres's log, claims and accepts have for themselves.
 */
const RECORDS_GATHER_MS = 25;

/** An old day that is not whole is the trouble of its own deliveries. */
function isOutage(error: unknown): boolean {
  return isPostgresUnavailable(error) && !isNoPartition(error);
}

/** A delivery that retention has dropped meanwhile. */
const NOT_THERE = { moved: false, generation: 0, locked: false };

export function createDeliveryStatements(
  { direct, prisma }: Pick<Database, 'direct' | 'prisma'>,
  { leaseMs, fenced, isBusy, observeBatch, readClock }: DeliveryStatementsOptions,
): DeliveryStatements {
  const claims = createBatcher<JobRef, ClaimAnswer>({
    ...CLAIM_BATCHES,
    run: async (jobs) => {
      observeBatch('claim', jobs.length);
      const askedAtMs = Date.now();
      const claims = await claimDeliveries(direct, jobs, { leaseMs });
      const postgresAtMs = claims.find(isClaimed)?.claim.claimedAtMs;
      if (postgresAtMs !== undefined) readClock({ askedAtMs, postgresAtMs, answeredAtMs: Date.now() });
      const answers = byDelivery(claims);
      return jobs.map(({ deliveryId }) => answers.get(deliveryId) ?? { deliveryId, verdict: 'missing' });
    },
    keysOf: ({ deliveryId }) => [deliveryId],
  });
  const records = createBatcher<AttemptRecord, RecordAnswer>({
    ...BATCHES,
    run: async (batch) => {
      observeBatch('record', batch.length);
      const answers = byDelivery(await recordAttempts(prisma, batch, { fenced }));
      return batch.map(({ deliveryId, number }) => answers.get(deliveryId) ?? { deliveryId, number, ...NOT_THERE });
    },
    keysOf: ({ deliveryId }) => [deliveryId],
    gathering: { ms: RECORDS_GATHER_MS, isPressed: isBusy },
  });
  const holds = createBatcher<HoldRequest, HoldAnswer>({
    ...BATCHES,
    run: async (jobs) => {
      observeBatch('hold', jobs.length);
      const answers = byDelivery(await holdDeliveries(direct, jobs));
      return jobs.map(({ deliveryId }) => answers.get(deliveryId) ?? { deliveryId, verdict: 'missing' });
    },
    keysOf: ({ deliveryId }) => [deliveryId],
  });
  return {
    hold: holds.submit,
    claim: claims.submit,
    record: async (record) => {
      const answer = await records.submit(record);
      if (answer.locked) throw new DeliveryLocked(`delivery ${record.deliveryId} is locked`);
      return answer;
    },
  };
}

function isClaimed(answer: ClaimAnswer): answer is Extract<ClaimAnswer, { verdict: 'claimed' }> {
  return answer.verdict === 'claimed';
}

function byDelivery<T extends { deliveryId: string }>(answers: readonly T[]): Map<string, T> {
  return new Map(answers.map((answer) => [answer.deliveryId, answer]));
}
