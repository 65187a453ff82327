import { setTimeout as delay } from 'node:timers/promises';

const RETRY_DELAY_MS = 250;

/**
 * Repeats a write that Postgres could not take, until it does or the signal says that the lease has ended. An outcome
 * that is never recorded costs the receiver a repeated request, so it is worth the wait.
 */
export async function recordUntil<T>(
  write: () => Promise<T>,
  isWorthRepeating: (error: unknown) => boolean,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted || !isWorthRepeating(error)) throw error;
      await delay(RETRY_DELAY_MS);
    }
  }
}
