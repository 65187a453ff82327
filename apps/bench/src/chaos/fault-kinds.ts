/** Everything that chaos can do to a running Driftwire. The first word names what it is done to. */
export const FAULT_KINDS = [
  'worker-kill',
  'worker-kill-at-claim',
  'worker-kill-after-send',
  'worker-kill-after-record',
  'worker-kill-in-bundle',
  'worker-stop',
  'worker-freeze',
  'api-kill',
  'api-stop',
  'redis-flush',
  'redis-flush-bundles',
  'redis-freeze',
  'redis-kill',
  'postgres-terminate',
  'postgres-restart',
  'receivers-fail',
  'receivers-hang',
  'receivers-reset',
  'receivers-drip',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export function isFaultKind(text: string): text is FaultKind {
  return FAULT_KINDS.some((kind) => kind === text);
}

/** Faults in one lane wait for each other. A frozen worker holds up nobody: the others can still be killed. */
export function laneOf(kind: FaultKind): string | undefined {
  return kind === 'worker-freeze' ? undefined : kind.split('-', 1)[0];
}

/** While Redis or Postgres is away nothing can be delivered; everything else hits only a part. */
export function stopsEverything(kind: FaultKind): boolean {
  return kind.startsWith('redis-') || kind.startsWith('postgres-');
}
