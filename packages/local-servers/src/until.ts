import { setTimeout as pause } from 'node:timers/promises';

export type Deadline = { deadlineMs: number; everyMs?: number; signal?: AbortSignal };

/** Asks until the answer is yes; says whether it came before the deadline. An aborted signal counts as a no. */
export async function until(isSo: () => boolean | Promise<boolean>, limits: Deadline): Promise<boolean> {
  const endsAt = Date.now() + limits.deadlineMs;
  while (!limits.signal?.aborted) {
    if (await isSo()) return true;
    if (Date.now() >= endsAt) return false;
    await pause(limits.everyMs ?? 20);
  }
  return false;
}
