import { type DeliveryStory, isSuccessful } from './delivery-story.js';
import type { AttemptRow, Promises, ReceivedRequest, Violation } from './evidence.js';

/** A request may be repeated after a 2xx only if the outcome was lost: all but one 2xx belong to an `unknown` attempt. */
export function findUnfoundedRepeats(stories: readonly DeliveryStory[], promises: Promises): Violation[] {
  return stories.flatMap((story) => {
    const accepted = acceptedRequests(story);
    const known = accepted.filter(({ number }) => !wasLost(attemptOf(story, number), promises));
    if (known.length <= 1) return [];
    const { id } = story.delivery;
    const numbers = known.map(({ number }) => `${number} (${attemptOf(story, number)?.outcome ?? 'not on record'})`);
    const sentence = `delivery ${id} was answered 2xx ${accepted.length} times; only one of attempts ${numbers.join(', ')} may have a known outcome`;
    return [{ rule: 'a repeat follows only a lost outcome', ids: [id], sentence }];
  });
}

export function acceptedRequests({ requests }: DeliveryStory): ReceivedRequest[] {
  return requests.filter(({ status }) => isSuccessful(status));
}

/** Far longer than a timeout can take on a machine that runs: the worker was stopped while the answer came. */
const FROZEN_MS = 1_000;

/**
 * `unknown`; or a worker that was frozen from before the answer until after its own timeout, woke up while the lease was
 * still its own, and told what it saw.
 */
function wasLost(attempt: AttemptRow | undefined, { requestTimeoutMs }: Promises): boolean {
  if (attempt?.outcome === 'timeout') return (attempt.durationMs ?? 0) > requestTimeoutMs + FROZEN_MS;
  return attempt?.outcome === 'unknown';
}

function attemptOf({ attempts }: DeliveryStory, number: number): AttemptRow | undefined {
  return attempts.find((attempt) => attempt.number === number);
}
