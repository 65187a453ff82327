export type BriefMemoryOptions = {
  ttlMs: number;
  /** Things remembered at most; one more and all are forgotten. */
  capacity: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/**
 * Remembers what `load` found, for `ttlMs` from the moment it began to look, and lets everybody who asks meanwhile share
 * that look. What is not there (null) and failures are asked for anew every time.
 */
export function createBriefMemory<T>(
  load: (id: string) => Promise<T | null>,
  { ttlMs, capacity, now }: BriefMemoryOptions,
): (id: string) => Promise<T | null> {
  const remembered = new Map<string, { since: number; found: Promise<T | null> }>();

  async function look(id: string, forget: () => void): Promise<T | null> {
    try {
      const found = await load(id);
      if (found === null) forget();
      return found;
    } catch (error) {
      forget();
      throw error;
    }
  }

  return (id) => {
    const known = remembered.get(id);
    if (known !== undefined && now() - known.since < ttlMs) return known.found;
    if (known === undefined && remembered.size >= capacity) remembered.clear();
    const since = now();
    const forget = () => {
      if (remembered.get(id)?.since === since) remembered.delete(id);
    };
    const found = look(id, forget);
    remembered.set(id, { since, found });
    return found;
  };
}
