import { setTimeout as delay } from 'node:timers/promises';

const RETRY_DELAY_MS = 250;

export type Persistence = {
  isWorthRepeating: (error: unknown) => boolean;
  /** True when the lease has ended. */
  isOver: () => boolean;
};

/**
 * Repeats a write that Postgres could not take, until it does or the lease has ended. An outcome that is never recorded costs
 * the receiver a repeated request, so it is worth the wait.
 */
export async function recordUntil<T>(write: () => Promise<T>, { isWorthRepeating, isOver }: Persistence): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (isOver() || !isWorthRepeating(error)) throw error;
      await delay(RETRY_DELAY_MS);
    }
  }
}
