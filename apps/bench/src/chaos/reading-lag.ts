export type ReadingLag = {
  /** When what is read now may have arrived at the earliest, in milliseconds since 1970. */
  arrivedSince: () => number;
  stop: () => void;
};

const TICK_MS = 10;
const STALL_MS = 2 * TICK_MS;
/** What has piled up during a stall takes a while to be read. */
const CATCHING_UP_MS = 250;

/**
 * How far behind this process is: what arrives while it has no time lies in the kernel until it has. A judge of how close together
 * requests came has to know that.
 */
export function watchReadingLag(): ReadingLag {
  let tickedAt = Date.now();
  let stalls: { begunAt: number; endedAt: number }[] = [];
  const timer = setInterval(() => {
    const now = Date.now();
    stalls = stalls.filter(({ endedAt }) => now - endedAt < CATCHING_UP_MS);
    if (now - tickedAt > STALL_MS) stalls.push({ begunAt: tickedAt, endedAt: now });
    tickedAt = now;
  }, TICK_MS);
  timer.unref();
  return {
    arrivedSince: () => Math.min(tickedAt, ...stalls.map(({ begunAt }) => begunAt)),
    stop: () => clearInterval(timer),
  };
}
