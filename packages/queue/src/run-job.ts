import { setTimeout as delay } from 'node:timers/promises';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import {
  type DeliveryJob,
  type DeliveryWakeUp,
  type FailureOnRecord,
  type JobData,
  jobDataSchema,
  membersOf,
} from './delivery-job.js';

/** What running a delivery came to, as data; this file turns it into what BullMQ understands. */
export type JobEnding =
  /** Nothing more for BullMQ to do: delivered, cancelled, or not this job's business. */
  | { kind: 'done' }
  /**
   * A failed attempt is on record and the next one is due after `delayMs`: spends a BullMQ attempt. `generation` is that of the job
   * which the delivery waits for now; another than before when it has left its bundle.
   */
  | { kind: 'retry'; delayMs: number; reason: string; generation: number }
  /** The delivery ended `failed`: the dashboard's failed tab shows it. */
  | { kind: 'failed'; reason: string }
  /** Not now: run again after `delayMs` without spending an attempt. */
  | { kind: 'snooze'; delayMs: number };

/** When its request must go out, by this process's monotonic clock in milliseconds: at that time, or `withinMs` later. */
export type Pace = { atMs: number; withinMs: number };
/** `isGranted`: to this process, and to nobody else. */
export type DeliveryToRun = DeliveryJob & { pace?: Pace; isGranted?: boolean };

export type RunJobDeps = {
  /** Never rejects but for a bug. */
  run: (delivery: DeliveryToRun) => Promise<JobEnding>;
  /** For what leaves its job. Returns at once; what it loses, the sweeper finds. */
  enqueue: (wakeUps: readonly DeliveryWakeUp[]) => void;
  onMalformedJob: (jobId: string | undefined) => void;
};

const MAX_SNOOZE_MS = 3_600_000;
const MOMENT_MS = 250;
const AGAIN = 5;

/**
 * Runs the deliveries of a job and says to BullMQ what became of it. A job of one delivery succeeds, fails, is retried or put off as its
 * delivery. A bundle never fails: a delivery of it that did gets a job of its own, whose first run tells BullMQ what is on record, so
 * that it is counted, backed off and shown like any other; and when one was put off, the bundle is, and what has ended by then is
 * refused by the claim.
 */
export function createRunJob(deps: RunJobDeps): (job: Job, token: string | undefined) => Promise<void> {
  return async (job, token) => {
    const parsed = jobDataSchema.safeParse(job.data);
    if (!parsed.success) return deps.onMalformedJob(job.id);
    const { onRecord } = parsed.data;
    if (onRecord !== undefined && job.attemptsMade === 0) throw failureOf(onRecord);
    const ending = await runMembers(deps, parsed.data, job);
    switch (ending.kind) {
      case 'done':
        return;
      case 'snooze':
        await job.moveToDelayed(Date.now() + Math.min(ending.delayMs, MAX_SNOOZE_MS), token);
        throw new DelayedError();
      case 'retry':
        throw new RetryLater(ending.reason, ending.delayMs);
      case 'failed':
        throw failureOf(ending);
    }
  };
}

async function runMembers(deps: RunJobDeps, data: JobData, job: Job): Promise<JobEnding> {
  const [first, ...others] = membersOf(data);
  const runMember = async (member: DeliveryJob) => ({ member, ending: await deps.run(member).catch(throwAsError) });
  if (others.length > 0) {
    const running = [first, ...others].map(async (member) => leaveJob(deps, await runMember(member), attemptsOf(job)));
    return endingOfBundle(await allOf(running));
  }
  const ran = await runMember(first);
  return hasLeft(ran) ? leaveJob(deps, ran, attemptsOf(job)) : ran.ending;
}

/** Runs a delivery that has no job, more than once where it is only a moment too early, and adds one for what is left to do. */
export async function runWithoutJob(deps: RunJobDeps, delivery: DeliveryToRun, maxAttempts: number): Promise<void> {
  const { pace, isGranted: _, ...member } = delivery;
  let ending = await deps.run(delivery).catch(throwAsError);
  for (let again = 0; again < AGAIN && pace === undefined && isMoment(ending); again += 1) {
    await delay(ending.delayMs);
    ending = await deps.run(delivery).catch(throwAsError);
  }
  if (leaveJob(deps, { member, ending }, maxAttempts).kind === 'snooze') deps.enqueue([{ ...member, maxAttempts }]);
}

/** Of one whose row somebody else has locked. */
function isMoment(ending: JobEnding): ending is Extract<JobEnding, { kind: 'snooze' }> {
  return ending.kind === 'snooze' && ending.delayMs > 0 && ending.delayMs <= MOMENT_MS;
}

type Ran = { member: DeliveryJob; ending: JobEnding };

/** Its row was in a bundle, and this job a stand-in for it. */
function hasLeft({ member, ending }: Ran): boolean {
  return ending.kind === 'retry' && ending.generation !== member.generation;
}

function attemptsOf({ opts }: Job): number {
  return opts.attempts ?? 1;
}

/** What failed goes on in a job of its own; answers what is left for this one. */
function leaveJob({ enqueue }: RunJobDeps, { member, ending }: Ran, maxAttempts: number): JobEnding {
  if (ending.kind !== 'retry' && ending.kind !== 'failed') return ending;
  if (ending.kind === 'failed') enqueue([{ ...member, maxAttempts, onRecord: { reason: ending.reason } }]);
  else {
    const { reason, delayMs, generation } = ending;
    enqueue([{ ...member, generation, maxAttempts, onRecord: { reason, dueAt: Date.now() + delayMs } }]);
  }
  return { kind: 'done' };
}

/** The first to be due again decides; for the others it is too early then, and they say so. */
function endingOfBundle(endings: readonly JobEnding[]): JobEnding {
  const delays = endings.flatMap((ending) => (ending.kind === 'snooze' ? [ending.delayMs] : []));
  return delays.length > 0 ? { kind: 'snooze', delayMs: Math.min(...delays) } : { kind: 'done' };
}

/** Waits for all before it rejects: what a bug has stopped must not be taken to another worker while the others still run. */
async function allOf<T>(running: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(running);
  return Promise.all(running);
}

/** BullMQ leaves a job active for ever whose processor throws `undefined`, and reads a message from anything else. */
function throwAsError(thrown: unknown): never {
  throw thrown instanceof Error ? thrown : new Error(`driftwire: a bug threw ${thrown}`, { cause: thrown });
}

function failureOf({ reason, dueAt }: FailureOnRecord): Error {
  return dueAt === undefined
    ? new UnrecoverableError(`driftwire: ${reason}`)
    : new RetryLater(reason, Math.max(dueAt - Date.now(), 0));
}

/** The throw that hands a retry to BullMQ. The text is ours alone: BullMQ reads meaning into some messages. */
class RetryLater extends Error {
  override name = 'RetryLater';
  readonly delayMs: number;

  constructor(reason: string, delayMs: number) {
    super(`driftwire: ${reason}`);
    this.delayMs = delayMs;
  }
}

/** Anything else that reaches BullMQ is a bug; then the row's own clock decides, and the claim makes an early run wait. */
const DELAY_AFTER_A_BUG_MS = 5_000;

/** BullMQ's `backoffStrategy`. */
export function recordedDelay(_attemptsMade: number, _type?: string, error?: Error): number {
  return error instanceof RetryLater ? error.delayMs : DELAY_AFTER_A_BUG_MS;
}
