import { type DeliveryStory, hasFailed } from './delivery-story.js';
import type { Violation } from './evidence.js';
import { groupBy } from './group-by.js';

export function findGapsInNumbers(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id }, attempts }) => {
    const numbers = attempts.map(({ number }) => number);
    if (numbers.every((number, index) => number === index + 1)) return [];
    const sentence = `delivery ${id} has attempts ${numbers.join(', ')}, not 1 to ${numbers.length}`;
    return [{ rule: 'attempts are numbered without gaps', ids: [id], sentence }];
  });
}

/** Three at most, whatever else went wrong: the promise to the receiver. */
export function findSurplusFailures(stories: readonly DeliveryStory[]): Violation[] {
  return stories.flatMap(({ delivery: { id, maxAttempts }, attempts }) => {
    const rounds = groupBy(attempts.filter(hasFailed), ({ round }) => round);
    return [...rounds].flatMap(([round, { length: failed }]) => {
      if (failed <= maxAttempts) return [];
      const sentence = `delivery ${id} failed ${failed} times in round ${round}, and ${maxAttempts} is the most`;
      return [{ rule: 'failed attempts are capped', ids: [id], sentence }];
    });
  });
}
