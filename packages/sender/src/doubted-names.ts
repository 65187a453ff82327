const REMEMBERED_MS = 10_000;
const DOUBTED_MS = 600_000;
const MOST_NAMES = 10_000;

export type DoubtedNames = {
  /** What came of a question that took long: an error, or null for an answer. */
  remember: (hostname: string, error: Error | null) => void;
  forget: (hostname: string) => void;
  /** The error of the last ten seconds, with which not to ask again; else null. */
  recentError: (hostname: string) => Error | null;
  /** Whether it took long within the last ten minutes. */
  isDoubted: (hostname: string) => boolean;
};

/** Names whose servers were slow to answer, or never did. `now` is a monotonic clock in milliseconds. */
export function createDoubtedNames(now: () => number): DoubtedNames {
  const names = new Map<string, { at: number; error: Error | null }>();
  const ageMs = (hostname: string) => now() - (names.get(hostname)?.at ?? Number.NEGATIVE_INFINITY);
  return {
    remember: (hostname, error) => {
      names.delete(hostname);
      names.set(hostname, { at: now(), error });
      const [oldest] = names.keys();
      if (names.size > MOST_NAMES && oldest !== undefined) names.delete(oldest);
    },
    forget: (hostname) => void names.delete(hostname),
    recentError: (hostname) => (ageMs(hostname) < REMEMBERED_MS ? (names.get(hostname)?.error ?? null) : null),
    isDoubted: (hostname) => ageMs(hostname) < DOUBTED_MS,
  };
}
