import type { DeliveryStory } from './delivery-story.js';
import type { AttemptRow, Violation } from './evidence.js';
import { groupBy } from './group-by.js';

/**
 * Whatever reached a receiver is on record: each request has its attempt, and each attempt at most one request; two where
 * the first was lost with its connection, which the record says, unless nobody lived to write it.
 */
export function findUnrecordedRequests(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id }, attempts, requests }) => {
    const recorded = new Set(attempts.map(({ number }) => number));
    return requests
      .filter(({ number }) => !recorded.has(number))
      .map(({ number }) => unrecorded(id, `request ${number} arrived and no attempt ${number} is on record`));
  });
}

export function findDoubledRequests(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id }, attempts, requests }) => {
    const sendings = groupBy(requests, ({ number }) => number);
    return attempts
      .filter((attempt) => (sendings.get(attempt.number)?.length ?? 0) > mostSendings(attempt))
      .map(({ number }) => unrecorded(id, `attempt ${number} was sent more than once`));
  });
}

function mostSendings({ sentAgain, outcome }: AttemptRow): number {
  return sentAgain || outcome === 'unknown' ? 2 : 1;
}

/** A receiver dedupes by it, so it is the event's on every attempt. */
export function findForeignWebhookIds(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id, eventId }, requests }) =>
    requests
      .filter(({ webhookId }) => webhookId !== eventId)
      .map(({ number, webhookId }) => ({
        rule: "webhook-id is the event's id",
        ids: [id],
        sentence: `delivery ${id}: request ${number} carried webhook-id ${webhookId}, not ${eventId}`,
      })),
  );
}

function unrecorded(id: string, what: string): Violation {
  return { rule: 'every request is one recorded attempt', ids: [id], sentence: `delivery ${id}: ${what}` };
}
