import { attemptsOfRound, type DeliveryStory, hasFailed, isSuccessful } from './delivery-story.js';
import type { Promises, Violation } from './evidence.js';

/** Each way to end has its proof; an ending that has no rule here is itself a violation. */
export function findUnfoundedEndings(stories: readonly DeliveryStory[], promises: Promises): Violation[] {
  return stories.flatMap((story) => {
    const missing = missingProof(story, promises);
    if (missing === undefined) return [];
    const { id, status, failureReason } = story.delivery;
    const ending = failureReason === null ? status : `${status}/${failureReason}`;
    return [
      { rule: 'every ending has its proof', ids: [id], sentence: `delivery ${id} ended ${ending}, but ${missing}` },
    ];
  });
}

function missingProof(story: DeliveryStory, promises: Promises): string | undefined {
  switch (story.delivery.status) {
    case 'pending':
    case 'retrying':
      return undefined;
    case 'success':
      return missingAcceptance(story);
    case 'cancelled':
      return story.endpoint?.isActive === false ? undefined : 'its endpoint is active';
    case 'failed':
      return missingFailure(story, promises);
  }
}

function missingAcceptance({ requests }: DeliveryStory): string | undefined {
  return requests.some(({ status }) => isSuccessful(status)) ? undefined : 'its receiver never answered 2xx';
}

function missingFailure(story: DeliveryStory, { maxStarts }: Promises): string | undefined {
  const attempts = attemptsOfRound(story);
  switch (story.delivery.failureReason) {
    case 'exhausted':
      return missingExhaustion(story);
    case 'gone':
      return attempts.some(({ responseCode }) => responseCode === 410) ? undefined : 'no attempt was answered 410';
    case 'blocked':
      return attempts.some(({ outcome }) => outcome === 'blocked') ? undefined : 'no attempt was blocked';
    case 'indeterminate':
      return attempts.length === maxStarts ? undefined : `${attempts.length} attempts were started, not ${maxStarts}`;
    default:
      return 'that is no reason to fail';
  }
}

function missingExhaustion(story: DeliveryStory): string | undefined {
  const failed = attemptsOfRound(story).filter(hasFailed).length;
  const { maxAttempts } = story.delivery;
  return failed === maxAttempts ? undefined : `${failed} attempts are on record as failed, not ${maxAttempts}`;
}
