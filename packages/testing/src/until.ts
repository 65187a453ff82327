import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 10;
const DEADLINE_MS = 10_000;

/** Waits for a fact and answers it; fails with the fact's text when it has not come true by the deadline. */
export async function until<T>(
  fact: () => T | Promise<T>,
  { deadlineMs = DEADLINE_MS }: { deadlineMs?: number } = {},
): Promise<NonNullable<T> & (T extends false ? never : T)> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await fact();
    if (isTrue(value)) return value;
    if (Date.now() > deadline) throw new Error(`not true within ${deadlineMs} ms: ${fact}`);
    await delay(EVERY_MS);
  }
}

function isTrue<T>(value: T): value is NonNullable<T> & (T extends false ? never : T) {
  return Boolean(value);
}
