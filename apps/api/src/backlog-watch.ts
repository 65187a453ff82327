export type BacklogWatchOptions = {
  everyMs: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/** A look that was made so many intervals ago says nothing about now. */
const TRUSTED_LOOKS = 3;

/**
 * For how long the oldest due delivery has been waiting, as it was found within the last few seconds, else 0. Asking starts a
 * look when the last one is older than `everyMs`, and never waits for it: an answer that comes too late for this
 * event is good enough for the next.
 */
export function createBacklogWatch(
  measure: () => Promise<number>,
  { everyMs, now }: BacklogWatchOptions,
): () => number {
  let found = { backlogMs: 0, at: Number.NEGATIVE_INFINITY };
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    lookedAt = now();
    // Whoever asks has a statement of its own to fail with.
    const backlogMs = await measure().catch(() => 0);
    found = { backlogMs, at: now() };
  }

  return () => {
    if (now() - lookedAt >= everyMs) void look();
    return now() - found.at < TRUSTED_LOOKS * everyMs ? found.backlogMs : 0;
  };
}
