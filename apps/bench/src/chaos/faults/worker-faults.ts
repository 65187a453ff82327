import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@driftwire/local-servers';
import { type Session, withSession } from '../../stack/database-session.js';
import { strike } from '../../stack/process-keeper.js';
import { type Inject, Missed, type Strike } from './arena.js';
import { openLogTail } from './log-tail.js';
import { killOne, stopOne } from './process-faults.js';
import { awake, victim } from './victim.js';

const MOMENT_WITHIN_MS = 5_000;
const workers = ({ arena }: Strike) => arena.stack.workers;

/** With every claim held up by a lock: some workers die before their claim, some claims are made for the dead. */
const killAtClaim: Inject = (context) =>
  withSession(context.arena.stack.databaseUrl, async (session) => {
    await session.query('BEGIN');
    await session.query('LOCK TABLE deliveries IN EXCLUSIVE MODE');
    const waits = () => hasWaitingClaim(session);
    const came = await until(waits, { deadlineMs: MOMENT_WITHIN_MS, signal: context.signal });
    if (came) killAll(context);
    await session.query('ROLLBACK');
    if (!came) throw new Missed('no claim came');
  });

/** The receiver has answered, and nobody lives to record it: they are stopped first, or the fastest might. */
const killAfterSend: Inject = async (context) => {
  const { receivers } = context.arena;
  let isDone = false;
  receivers.aroundNextAnswer(() => {
    const doomed = awake(workers(context));
    for (const { child } of doomed) child?.kill('SIGSTOP');
    return () => {
      for (const keeper of doomed) strike(keeper, 'SIGKILL', 'kill');
      context.struck();
      isDone = true;
    };
  });
  await until(() => isDone, { deadlineMs: MOMENT_WITHIN_MS, signal: context.signal });
  receivers.aroundNextAnswer(null);
  if (!isDone) throw new Missed('no steady request came');
};

/** Its outcome is on record, and the job is not yet told. */
const killAfterRecord: Inject = async (context) => {
  const keeper = victim(workers(context), context.fault.pick);
  const tail = openLogTail(keeper.logFile);
  const recorded = () => tail.read().includes('delivery.attempted');
  const came = await until(recorded, { deadlineMs: MOMENT_WITHIN_MS, everyMs: 2, signal: context.signal });
  tail.close();
  if (!came) throw new Missed('nothing was recorded');
  strike(keeper, 'SIGKILL', 'kill');
  context.struck();
};

/** One delivery of a job is on record, and another one of the same job still at its receiver. */
const killInBundle: Inject = (context) =>
  withSession(context.arena.stack.databaseUrl, async (session) => {
    const keeper = victim(workers(context), context.fault.pick);
    const { child } = keeper;
    const tail = openLogTail(keeper.logFile);
    const isHalfDone = () => hasHalfDoneBundle(session, attemptedIn(tail.read()));
    const came = await until(isHalfDone, { deadlineMs: MOMENT_WITHIN_MS, everyMs: 2, signal: context.signal });
    tail.close();
    if (!came) throw new Missed('no bundle was half done');
    if (keeper.child !== child) throw new Missed('somebody else was faster');
    strike(keeper, 'SIGKILL', 'kill');
    context.struck();
  });

/** A zombie: its lease runs out while it sleeps, and it wakes up in the middle of what it did. */
const freeze: Inject = async (context) => {
  const keeper = victim(workers(context), context.fault.pick);
  const { child } = keeper;
  keeper.isFrozen = true;
  child?.kill('SIGSTOP');
  context.struck();
  try {
    await pause(context.fault.durationMs, undefined, { signal: context.signal });
  } finally {
    child?.kill('SIGCONT');
    if (keeper.child === child) keeper.isFrozen = false;
  }
};

/** A claim, of a worker, that the lock on deliveries holds up. */
async function hasWaitingClaim({ query }: Session): Promise<boolean> {
  const found = await query(`
    SELECT 1 FROM pg_locks lock JOIN pg_stat_activity session USING (pid)
    WHERE NOT lock.granted AND lock.relation = 'deliveries'::regclass AND session.application_name = 'driftwire-worker'`);
  return found.length > 0;
}

/** The deliveries whose attempts a worker's log tells of. */
function attemptedIn(log: string): string[] {
  return [...log.matchAll(/"delivery_id":"([0-9a-f-]+)".*"delivery\.attempted"/g)].flatMap(([, id]) => id ?? []);
}

async function hasHalfDoneBundle({ query }: Session, recordedIds: readonly string[]): Promise<boolean> {
  if (recordedIds.length === 0) return false;
  const found = await query(
    `SELECT 1 FROM deliveries recorded JOIN deliveries flying USING (job_id)
     WHERE recorded.id = ANY ($1::uuid[]) AND flying.lease_expires_at > now() LIMIT 1`,
    [recordedIds],
  );
  return found.length > 0;
}

/** All but the frozen ones, who are to wake up as zombies. */
function killAll(context: Strike): void {
  for (const keeper of awake(workers(context))) strike(keeper, 'SIGKILL', 'kill');
  context.struck();
}

export const WORKER_FAULTS = {
  'worker-kill': killOne(workers),
  'worker-kill-at-claim': killAtClaim,
  'worker-kill-after-send': killAfterSend,
  'worker-kill-after-record': killAfterRecord,
  'worker-kill-in-bundle': killInBundle,
  'worker-stop': stopOne(workers),
  'worker-freeze': freeze,
};
