/** `repeats`: how many with the same message were held back since the last one that was passed on. */
export type ErrorListener = (error: Error, repeats: number) => void;

const QUIET_MS = 10_000;

/**
 * Passes an error on, and no other with the same message for 10 s: a connection that is down tells it several times a
 * second for as long as it lasts. Ids make no difference. `now` is a monotonic clock in milliseconds.
 */
export function withoutRepeats(listen: ErrorListener, now: () => number): (error: Error) => void {
  const told = new Map<string, { at: number; heldBack: number }>();

  function forgetOld(): void {
    for (const [message, { at, heldBack }] of told) {
      if (heldBack === 0 && now() - at >= QUIET_MS) told.delete(message);
    }
  }

  return (error) => {
    const message = error.message.replace(IDS, '');
    const before = told.get(message);
    if (before !== undefined && now() - before.at < QUIET_MS) {
      before.heldBack += 1;
      return;
    }
    forgetOld();
    told.set(message, { at: now(), heldBack: 0 });
    listen(error, before?.heldBack ?? 0);
  };
}

/** UUIDs and the hashes of scripts. */
const IDS = /[0-9a-f-]{32,}/g;
