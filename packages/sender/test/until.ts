import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a fact; fails when it has not come true within two seconds. */
export async function until(fact: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 2000;
  while (!fact()) {
    if (performance.now() > deadlineMs) throw new Error(`never came true: ${fact}`);
    await delay(5);
  }
}
