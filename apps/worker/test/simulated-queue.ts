import { randomUUID } from 'node:crypto';
import {
  bulkJob,
  type createRunJob,
  type DeliveryJob,
  type DeliveryWakeUp,
  deliveryJobId,
  inJobs,
  type JobPresence,
  jobDataSchema,
  membersOf,
  recordedDelay,
} from '@driftwire/queue';

export type JobState = 'waiting' | 'active' | 'delayed' | 'completed' | 'failed' | 'stray';

export type SimulatedJob = {
  id: string;
  state: JobState;
  data: Record<string, unknown>;
  attempts: number;
  attemptsMade: number;
  /** Of a delayed one, by the clock of the queue. */
  dueAt: number;
  /** Whoever holds it may tell how the job ended. */
  lock: number;
};

/** A job as BullMQ hands it to a processor. */
type RunnableJob = Parameters<ReturnType<typeof createRunJob>>[0];
export type Taken = { id: string; lock: number; job: RunnableJob };

export type SimulatedQueue = ReturnType<typeof createSimulatedQueue>;

/** Longer than a worker puts a job off: see `placesOf`. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * What BullMQ and Redis do with jobs, as far as it matters to deliveries, in memory: an id that is there in any state is not added again,
 * a lock that was lost ends nothing, and everything may be gone. `now` is a clock that a test moves.
 */
export function createSimulatedQueue(now: () => number) {
  /** In the order in which they are taken. */
  let jobs: SimulatedJob[] = [];
  let epoch = randomUUID();
  let lastLock = 0;
  const find = (id: string) => jobs.find((job) => job.id === id);
  const held = ({ id, lock }: Taken) => {
    const job = find(id);
    return job?.state === 'active' && job.lock === lock ? job : undefined;
  };
  const toFront = (job: SimulatedJob) => {
    jobs = [{ ...job, state: 'waiting' }, ...jobs.filter(({ id }) => id !== job.id)];
  };

  return {
    jobs: (): readonly SimulatedJob[] => jobs,
    epoch: async () => epoch,
    async addJobs(wakeUps: readonly DeliveryWakeUp[]) {
      for (const { data, opts } of inJobs(wakeUps).map(bulkJob)) {
        const { jobId: id = '', attempts = 1, lifo = false } = opts;
        if (find(id)) continue;
        // As Redis keeps it.
        const stored: Record<string, unknown> = JSON.parse(JSON.stringify(data));
        const job = { id, state: 'waiting' as const, data: stored, attempts, attemptsMade: 0, dueAt: 0, lock: 0 };
        jobs = lifo ? [job, ...jobs] : [...jobs, job];
      }
    },
    lookAtJobs: async (deliveries: readonly Parameters<typeof deliveryJobId>[0][]): Promise<JobPresence[]> =>
      deliveries.map((delivery) => presenceOf(find(deliveryJobId(delivery)), now())),
    async wake(deliveries: readonly Parameters<typeof deliveryJobId>[0][]) {
      for (const job of deliveries.flatMap((delivery) => find(deliveryJobId(delivery)) ?? [])) {
        if (job.state === 'delayed') job.state = 'waiting';
      }
    },
    take(): Taken | undefined {
      for (const job of jobs) if (job.state === 'delayed' && job.dueAt <= now()) job.state = 'waiting';
      const job = jobs.find(({ state }) => state === 'waiting');
      if (job === undefined) return undefined;
      lastLock += 1;
      Object.assign(job, { state: 'active', lock: lastLock });
      const taken = { id: job.id, lock: lastLock };
      const runnable = {
        id: job.id,
        data: job.data,
        opts: { attempts: job.attempts },
        attemptsMade: job.attemptsMade,
        moveToDelayed: async (untilMs: number) => delay(held({ ...taken, job: runnable }), untilMs - Date.now()),
      } as unknown as RunnableJob;
      return { ...taken, job: runnable };
    },
    /** What BullMQ does when the processor has ended, with an error or none. */
    finish(taken: Taken, error?: Error) {
      const job = held(taken);
      if (job === undefined || error?.name === 'DelayedError') return;
      job.attemptsMade += 1;
      if (error === undefined) job.state = 'completed';
      else if (error.name === 'UnrecoverableError' || job.attemptsMade >= job.attempts) job.state = 'failed';
      else delay(job, recordedDelay(job.attemptsMade, undefined, error));
    },
    /** Taken for lost: somebody else may run it, whatever its holder does. */
    stall(taken: Taken) {
      const job = held(taken);
      if (job !== undefined) toFront(job);
    },
    passTime(ms: number) {
      // Written by the clock that a test does not move.
      for (const { data } of jobs) {
        const { onRecord } = data as { onRecord?: { dueAt?: number } };
        if (onRecord?.dueAt !== undefined) onRecord.dueAt -= ms;
      }
    },
    lose(id: string, how: 'gone' | 'stray') {
      const job = find(id);
      if (how === 'gone') jobs = jobs.filter((one) => one !== job);
      else if (job?.state === 'waiting') job.state = 'stray';
    },
    forgetEnded() {
      jobs = jobs.filter(({ state }) => state !== 'completed' && state !== 'failed');
    },
    flush() {
      jobs = [];
      epoch = randomUUID();
    },
  };

  function delay(job: SimulatedJob | undefined, ms: number): void {
    if (job === undefined) throw new Error('Missing lock for job');
    Object.assign(job, { state: 'delayed', dueAt: now() + ms });
  }
}

function presenceOf(job: SimulatedJob | undefined, nowMs: number): JobPresence {
  if (job === undefined) return 'missing';
  if (job.state === 'completed' || job.state === 'failed') return 'finished';
  if (job.state === 'stray') return 'stray';
  const isAsleep = job.state === 'delayed' && Math.abs(job.dueAt - nowMs) > LONGEST_SLEEP_MS;
  return isAsleep ? 'asleep' : 'unfinished';
}

/** The deliveries that a job carries, each with the generation it was added for. */
export function carriedBy({ data }: Pick<SimulatedJob, 'data'>): DeliveryJob[] {
  return membersOf(jobDataSchema.parse(data));
}

/** Some worker will run it, now or later. */
export function isLive({ state }: SimulatedJob): boolean {
  return state === 'waiting' || state === 'active' || state === 'delayed';
}
