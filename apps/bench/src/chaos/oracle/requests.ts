import type { DeliveryStory } from './delivery-story.js';
import type { Violation } from './evidence.js';

/** Whatever reached a receiver is on record: each request has its attempt, and each attempt at most one request. */
export function findUnrecordedRequests(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id }, attempts, requests }) => {
    const recorded = new Set(attempts.map(({ number }) => number));
    return requests
      .filter(({ number }) => !recorded.has(number))
      .map(({ number }) => unrecorded(id, `request ${number} arrived and no attempt ${number} is on record`));
  });
}

export function findDoubledRequests(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id }, requests }) => {
    const numbers = requests.map(({ number }) => number);
    const doubled = new Set(numbers.filter((number, index) => numbers.indexOf(number) < index));
    return [...doubled].map((number) => unrecorded(id, `attempt ${number} was sent more than once`));
  });
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
