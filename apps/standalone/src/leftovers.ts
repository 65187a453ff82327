import { until } from '@driftwire/local-servers';
import type { ChildRecord, ChildRecords } from './child-records.js';
import { isAlive } from './process-identity.js';

const GRACE_MS = 10_000;

/** Ends the children of a supervisor that was killed, in the order of an ordinary stop, and nobody else's processes. */
export async function endLeftovers(records: ChildRecords, say: (line: string) => void): Promise<void> {
  const living = records.left.filter(isAlive);
  if (living.length > 0) say(`Ending what a killed start left behind: ${living.map(describe).join(', ')}`);
  for (const record of living.toSorted((a, b) => stopRank(a) - stopRank(b))) await endProcess(record);
  for (const { pid } of records.left) records.remove(pid);
}

const STOP_ORDER = ['api', 'worker', 'redis', 'postgres'];

function stopRank({ name }: ChildRecord): number {
  return STOP_ORDER.findIndex((role) => name.startsWith(role));
}

/** SIGINT is a fast shutdown to Postgres, SIGTERM a patient one. */
async function endProcess(record: ChildRecord): Promise<void> {
  signal(record.pid, record.name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  if (await until(() => !isAlive(record), { deadlineMs: GRACE_MS })) return;
  signal(-record.pid, 'SIGKILL');
  await until(() => !isAlive(record), { deadlineMs: GRACE_MS });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

function describe({ name, pid }: ChildRecord): string {
  return `${name} (pid ${pid})`;
}
