import { setTimeout as pause } from 'node:timers/promises';

/** Lets time pass, and says so every second. Rejects when told to stop. */
export async function passSeconds(
  seconds: number,
  signal: AbortSignal,
  progress: (done: number, all: number) => void = () => {},
): Promise<void> {
  for (let second = 1; second <= seconds; second += 1) {
    await pause(1_000, undefined, { signal });
    progress(second, seconds);
  }
}
