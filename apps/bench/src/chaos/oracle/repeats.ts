import { type DeliveryStory, isSuccessful } from './delivery-story.js';
import type { AttemptRow, Promises, ReceivedRequest, Violation } from './evidence.js';

/**
 * A request may be repeated after a 2xx only if the outcome was lost, or the answer late: all but one 2xx belong to an `unknown` attempt, or
 * came after the timeout.
 */
export function findUnfoundedRepeats(stories: readonly DeliveryStory[], promises: Promises): Violation[] {
  return stories.flatMap((story) => {
    const accepted = acceptedRequests(story);
    const known = accepted.filter((request) => !isLost(request, attemptOf(story, request.number), promises));
    if (known.length <= 1) return [];
    const { id } = story.delivery;
    const numbers = known.map(({ number }) => `${number} (${attemptOf(story, number)?.outcome ?? 'not on record'})`);
    const sentence = `delivery ${id} was answered 2xx ${accepted.length} times; only one of attempts ${numbers.join(', ')} may have a known outcome`;
    return [{ rule: 'a repeat follows only a lost outcome', ids: [id], sentence }];
  });
}

function isLost({ overAt }: ReceivedRequest, attempt: AttemptRow | undefined, { requestTimeoutMs }: Promises): boolean {
  if (attempt?.outcome !== 'timeout') return attempt?.outcome === 'unknown';
  return overAt !== null && overAt >= attempt.startedAt + requestTimeoutMs;
}

export function acceptedRequests({ requests }: DeliveryStory): ReceivedRequest[] {
  return requests.filter(({ status }) => isSuccessful(status));
}

function attemptOf({ attempts }: DeliveryStory, number: number): AttemptRow | undefined {
  return attempts.find((attempt) => attempt.number === number);
}
