import { type Failure, failure } from './failure.js';

export type TimeLimit = { timeoutMs: number; signal: AbortSignal | undefined };

export type LimitedAttempt = { mayBeAnswered: () => boolean; giveUp: (reason: Failure) => void };

export const ABORTED = failure('timeout', 'the attempt was aborted before it was complete');

/**
 * Gives the attempt up when its time is over or the signal aborts, but reads first. After a blocked event loop or a
 * SIGSTOP, Node runs the timers before it reads the sockets: a 200 that is waiting there would be recorded as a timeout
 * and cost its receiver the same webhook again. The function returned stops the limit and leaves nothing behind.
 */
export function startTimeLimit({ timeoutMs, signal }: TimeLimit, attempt: LimitedAttempt): () => void {
  let reading: NodeJS.Immediate | undefined;
  const expire = (reason: Failure) => {
    // Without a request on its way nothing is to be read; one more turn could only send it, for an answer nobody awaits.
    if (!attempt.mayBeAnswered()) return attempt.giveUp(reason);
    // Once round the loop, sockets included. A single immediate is less when the abort comes from a socket's callback:
    // it runs at the end of that same round of reading, which may have begun before the answer was there.
    reading ??= setImmediate(() => {
      reading = setImmediate(attempt.giveUp, reason);
    });
  };
  const onTimeout = () => expire(failure('timeout', `no response within ${timeoutMs} ms`));
  const onAbort = () => expire(ABORTED);

  const timer = setTimeout(onTimeout, timeoutMs);
  signal?.addEventListener('abort', onAbort);
  return () => {
    clearTimeout(timer);
    clearImmediate(reading);
    signal?.removeEventListener('abort', onAbort);
  };
}
