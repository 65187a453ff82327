/** So many deliveries a second an endpoint may get before others' go first, and so many at once. */
const PER_SECOND = 100;
const AT_ONCE = 20;
const MOST_REMEMBERED = 10_000;

/**
 * The rank of an endpoint's next delivery: 0 while it keeps to the pace at which deliveries are served in their order; above it the higher
 * the further it is ahead, one more for each doubling. Where nobody else waits, a rank costs nothing; where somebody does, a flood
 * waits for him and not he for the flood. Counted by this process alone (the generic cell rate algorithm, ITU-T I.371).
 */
export function createPace(now: () => number = () => performance.now()): (endpointId: string) => number {
  /** When what an endpoint got so far would all have come, at that pace. */
  const paidUntilMs = new Map<string, number>();

  function forgetPaid(atMs: number): void {
    if (paidUntilMs.size < MOST_REMEMBERED) return;
    for (const [id, untilMs] of paidUntilMs) if (untilMs <= atMs) paidUntilMs.delete(id);
  }

  return (endpointId) => {
    const atMs = now();
    const paidMs = Math.max(paidUntilMs.get(endpointId) ?? 0, atMs);
    if (!paidUntilMs.has(endpointId)) forgetPaid(atMs);
    paidUntilMs.set(endpointId, paidMs + 1_000 / PER_SECOND);
    const ahead = ((paidMs - atMs) / 1_000) * PER_SECOND;
    return ahead < AT_ONCE ? 0 : 1 + Math.floor(Math.log2(ahead / AT_ONCE));
  };
}
