/** What `node --cpu-prof` writes, as far as it is read here. */
export type CpuProfile = {
  /** Lines and columns are counted from 0. */
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number };
    children?: number[];
  }[];
  /** Microseconds of the clock that `process.hrtime` reads, too. */
  startTime: number;
  samples: number[];
  /** Microseconds, one for each sample. */
  timeDeltas: number[];
};

export type Share = { owner: string; share: number };

/** Of the clock of a profile, in microseconds. */
export type Window = { fromUs: number; toUs: number };

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** What of the profile falls into one of these windows. */
export function within(profile: CpuProfile, windows: readonly Window[]): CpuProfile {
  const { samples, timeDeltas } = profile;
  let at = profile.startTime;
  const isInside = timeDeltas.map((delta) => {
    at += delta;
    return windows.some(({ fromUs, toUs }) => fromUs <= at && at < toUs);
  });
  const inside = <T>(values: readonly T[]) => values.filter((_, index) => isInside[index]);
  return { ...profile, samples: inside(samples), timeDeltas: inside(timeDeltas) };
}

/**
 * Who used the processor, as shares of the time that was not idle. What Node does itself is counted to the package that
 * called it; `node` is what nobody called, such as the reading of sockets.
 */
export function shareByOwner({ nodes, samples, timeDeltas }: CpuProfile): Share[] {
  const owners = ownersOf(nodes);
  const times = new Map<string, number>();
  for (const [index, node] of samples.entries()) {
    const owner = owners.get(node) ?? 'node';
    times.set(owner, (times.get(owner) ?? 0) + (timeDeltas[index] ?? 0));
  }
  times.delete('(idle)');
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([owner, time]) => ({ owner, share: time / total }))
    .sort((one, other) => other.share - one.share);
}

function ownersOf(nodes: CpuProfile['nodes']): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string>();
  const root = nodes[0];
  const visits = root === undefined ? [] : [{ node: root, caller: 'node' }];
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    const owner = ownerOf(visit.node.callFrame) ?? visit.caller;
    owners.set(visit.node.id, owner);
    for (const child of visit.node.children ?? []) {
      const node = byId.get(child);
      if (node) visits.push({ node, caller: owner });
    }
  }
  return owners;
}

/** A package of npm's, one of ours, or what V8 does by itself; null for Node's own code, which belongs to its caller. */
function ownerOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string | null {
  if (url === '') return functionName.startsWith('(') && functionName !== '(root)' ? functionName : null;
  const [, installed] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (installed !== undefined) return installed;
  const [, ours] = /\/((?:packages|apps)\/[^/]+)\//.exec(url) ?? [];
  return ours ?? null;
}
