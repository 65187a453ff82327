/** Deliveries that wait in a worker for a place of their endpoint: each endpoint's in the order in which they came. */
export type WaitingLine<Waiting> = {
  length: () => number;
  countOf: (endpointId: string) => number;
  /** How many wait for each endpoint that anybody waits for. */
  counts: () => [endpointId: string, count: number][];
  push: (endpointId: string, waiting: Waiting) => void;
  /** Takes out whoever has waited longest among the endpoints that may have one; undefined when there is nobody. */
  takeFirst: (may: (endpointId: string) => boolean) => Waiting | undefined;
  /** Takes out all that are not to stay. `ahead`: how many of the same endpoint have come before. */
  takeUnless: (stays: (waiting: Waiting, ahead: number) => boolean) => Waiting[];
};

export function createWaitingLine<Waiting extends { sinceMs: number }>(): WaitingLine<Waiting> {
  const byEndpoint = new Map<string, Waiting[]>();
  let length = 0;

  return {
    length: () => length,
    countOf: (endpointId) => byEndpoint.get(endpointId)?.length ?? 0,
    counts: () => Array.from(byEndpoint, ([endpointId, { length: count }]) => [endpointId, count]),
    push(endpointId, waiting) {
      const all = byEndpoint.get(endpointId);
      if (all === undefined) byEndpoint.set(endpointId, [waiting]);
      else all.push(waiting);
      length += 1;
    },
    takeFirst(may) {
      let oldest: { endpointId: string; all: Waiting[]; sinceMs: number } | undefined;
      for (const [endpointId, all] of byEndpoint) {
        const { sinceMs } = all[0] as Waiting;
        if (sinceMs < (oldest?.sinceMs ?? Number.POSITIVE_INFINITY) && may(endpointId))
          oldest = { endpointId, all, sinceMs };
      }
      if (oldest === undefined) return undefined;
      if (oldest.all.length === 1) byEndpoint.delete(oldest.endpointId);
      length -= 1;
      return oldest.all.shift();
    },
    takeUnless(stays) {
      const taken: Waiting[] = [];
      for (const [endpointId, all] of byEndpoint) {
        const isStaying = all.map(stays);
        const staying = all.filter((_, index) => isStaying[index]);
        taken.push(...all.filter((_, index) => !isStaying[index]));
        if (staying.length === 0) byEndpoint.delete(endpointId);
        else byEndpoint.set(endpointId, staying);
      }
      length -= taken.length;
      return taken;
    },
  };
}
