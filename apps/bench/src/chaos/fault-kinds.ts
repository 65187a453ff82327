/** Everything that chaos can do to a running Driftwire. The first word names what it is done to. */
export const FAULT_KINDS = [
  'worker-kill',
  'worker-kill-at-claim',
  'worker-kill-after-send',
  'worker-kill-after-record',
  'worker-kill-in-bundle',
  'worker-kill-while-holding',
  'worker-kill-while-releasing',
  'worker-kill-while-opening',
  'worker-kill-while-probing',
  'worker-stop',
  'worker-freeze',
  'api-kill',
  'api-stop',
  'redis-flush',
  'redis-flush-bundles',
  'redis-flush-held',
  'redis-freeze',
  'redis-kill',
  'postgres-terminate',
  'postgres-restart',
  'receiver-out',
  'receivers-fail',
  'receivers-hang',
  'receivers-reset',
  'receivers-drip',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export function isFaultKind(text: string): text is FaultKind {
  return FAULT_KINDS.some((kind) => kind === text);
}

/** A frozen worker holds up nobody, for the others can still be killed; nor does what may wait long for its moment. */
const WITHOUT_LANE: readonly FaultKind[] = [
  'worker-freeze',
  'worker-kill-while-holding',
  'worker-kill-while-releasing',
  'worker-kill-while-opening',
  'worker-kill-while-probing',
  'redis-flush-held',
];

/** Faults in one lane wait for each other. */
export function laneOf(kind: FaultKind): string | undefined {
  return WITHOUT_LANE.includes(kind) ? undefined : kind.split('-', 1)[0];
}

/** While Redis or Postgres is away nothing can be delivered; everything else hits only a part. */
export function stopsEverything(kind: FaultKind): boolean {
  return kind.startsWith('redis-') || kind.startsWith('postgres-');
}
