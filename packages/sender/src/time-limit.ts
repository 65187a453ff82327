import { type Failure, failure } from './failure.js';

export type LimitedAttempt = { mayBeAnswered: () => boolean; giveUp: (reason: Failure) => void };

export const OVER = failure('timeout', 'its time was over before it began');

/**
 * Gives the attempt up when its time is over, but reads first. After a blocked event loop or a SIGSTOP, Node runs the timers
 * before it reads the sockets: a 200 that is waiting there would be recorded as a timeout and cost its receiver the same
 * webhook again. The function returned stops the limit and leaves nothing behind.
 */
export function startTimeLimit(withinMs: number, attempt: LimitedAttempt): () => void {
  const reason = () => failure('timeout', `no response within ${withinMs} ms`);
  let reading: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // Without a request on its way nothing is to be read; one more turn could only send it, for an answer nobody awaits.
    if (!attempt.mayBeAnswered()) return attempt.giveUp(reason());
    // Immediates run right after the sockets have been read.
    reading = setImmediate(() => attempt.giveUp(reason()));
  }, withinMs);
  return () => {
    clearTimeout(timer);
    clearImmediate(reading);
  };
}
