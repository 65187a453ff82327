import type { DeliveryStory } from './delivery-story.js';
import type { AttemptRow, Promises, ReceivedRequest, Violation } from './evidence.js';

/** Postgres, the workers and the receivers read their own clocks, and a start is noted a moment before it happens. */
export const CLOCK_NOISE_MS = 250;

/** By the record: no attempt starts within the lease of the one before, unless that one had ended. */
export function findOverlappingAttempts(stories: readonly DeliveryStory[], { leaseMs }: Promises): Violation[] {
  return stories.flatMap(({ attempts }) =>
    attempts.flatMap((attempt, index) => {
      const next = attempts[index + 1];
      const earlyMs = next ? freeFrom(attempt, leaseMs) - next.startedAt : 0;
      if (!next || earlyMs <= CLOCK_NOISE_MS) return [];
      return [
        overlap(
          attempt.deliveryId,
          `attempt ${next.number} started ${Math.round(earlyMs)} ms too early after ${describe(attempt)}`,
        ),
      ];
    }),
  );
}

/** By what arrived: no request while an earlier one is open, unless the earlier one's lease has run out. */
export function findOverlappingRequests(stories: readonly DeliveryStory[], { leaseMs }: Promises): Violation[] {
  return stories.flatMap(({ attempts, requests }) =>
    requests.flatMap((request, index) => {
      const next = requests[index + 1];
      if (!next) return [];
      const earlyMs = closedFrom(request, leaseMs, attempts) - next.arrivedAt;
      if (earlyMs <= CLOCK_NOISE_MS) return [];
      const sentence = `request ${next.number} arrived ${Math.round(earlyMs)} ms too early, while request ${request.number} was open`;
      return [overlap(request.deliveryId, sentence)];
    }),
  );
}

/** When others may begin: it has ended, or its lease has. */
export function freeFrom({ startedAt, durationMs, outcome }: AttemptRow, leaseMs: number): number {
  const ranMs = outcome === 'unknown' ? leaseMs : (durationMs ?? leaseMs);
  return startedAt + Math.min(ranMs, leaseMs);
}

function closedFrom(request: ReceivedRequest, leaseMs: number, attempts: readonly AttemptRow[]): number {
  const leaseEndsAt = leaseEnd(request, leaseMs, attempts);
  return Math.min(request.endedAt ?? leaseEndsAt, leaseEndsAt);
}

/** The lease began with the claim, which the attempt's row knows better than the arrival of its request. */
export function leaseEnd(request: ReceivedRequest, leaseMs: number, attempts: readonly AttemptRow[]): number {
  const attempt = attempts.find(({ number }) => number === request.number);
  return Math.min(attempt?.startedAt ?? request.arrivedAt, request.arrivedAt) + leaseMs;
}

function describe({ number, outcome }: AttemptRow): string {
  return `attempt ${number} (${outcome})`;
}

function overlap(deliveryId: string, what: string): Violation {
  return { rule: 'one attempt at a time', ids: [deliveryId], sentence: `delivery ${deliveryId}: ${what}` };
}
