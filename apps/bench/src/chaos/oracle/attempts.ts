import { attemptsOfRound, type DeliveryStory, hasFailed } from './delivery-story.js';
import type { Violation } from './evidence.js';

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
  return stories.flatMap((story) => {
    const { id, maxAttempts } = story.delivery;
    const failed = attemptsOfRound(story).filter(hasFailed).length;
    if (failed <= maxAttempts) return [];
    const sentence = `delivery ${id} failed ${failed} times in its round, and ${maxAttempts} is the most`;
    return [{ rule: 'failed attempts are capped', ids: [id], sentence }];
  });
}
