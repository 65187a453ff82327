import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { DELIVERY_QUEUE, type DeliveryJob } from './delivery-job.js';
import { JobWorker } from './job-worker.js';
import { createPlaces, mostUnfinished, type Places } from './places.js';
import type { QueueOptions } from './producer.js';
import { connectConsumer, redisAnswers, redisTakesWrites } from './redis-connection.js';
import { explained } from './redis-refusal.js';
import {
  createRunJob,
  type DeliveryToRun,
  type JobEnding,
  type RunJobDeps,
  recordedDelay,
  runWithoutJob,
} from './run-job.js';

export type ConsumerOptions = QueueOptions &
  Omit<RunJobDeps, 'run'> & {
    /** Requests at once, whatever jobs their deliveries came in. */
    concurrency: number;
    /** Never rejects but for a bug. Says when its request goes out, and when it is over. */
    run: (delivery: DeliveryToRun, request: RequestWatch) => Promise<JobEnding>;
    /** Whether deliveries of this endpoint are held, so that one that was not released yet is behind them. */
    isCrowded: (endpointId: string) => boolean;
    /** For a delivery whose endpoint is crowded. Never rejects but for a bug. */
    hold: (delivery: DeliveryJob) => Promise<JobEnding>;
    /** Told of every request that was made. */
    onRequestOver: (delivery: { deliveryId: string; endpointId: string }, over: RequestOver) => void;
  };

export type RequestWatch = { begins: (customerId: string) => void; isOver: (over: RequestOver) => void };

export type RequestOver = { isSuccess: boolean; isTimeout: boolean };

export type Consumer = {
  /** Takes jobs from now on; waits for Redis as long as it must, and for the rights it needs there. */
  start: () => void;
  /** Runs a delivery that has no job in a place like any other; what is left to do gets a job. Never rejects but for a bug. */
  runWithoutJob: (delivery: DeliveryToRun, maxAttempts: number) => Promise<void>;
  /** Stops taking jobs and waits for those in flight; never longer than the deadline, even without Redis. */
  close: (deadlineMs: number) => Promise<void>;
  /** True when Redis answers a ping within a second. */
  answers: () => Promise<boolean>;
  /** True when jobs can be taken: Redis takes a write within a second, and did not refuse when it was last asked for jobs. */
  takesJobs: () => Promise<boolean>;
  /** True when Redis answers, and refuses: no other process would be given jobs either. */
  isRefused: () => boolean;
  /** Deliveries being worked on now: claimed, sent or recorded. */
  inFlight: () => number;
  /** Places that are free, and not kept for endpoints that are proven. */
  sparePlaces: () => number;
  /** Whether this endpoint would be given another place now. */
  hasRoomFor: (endpointId: string) => boolean;
  /** Places that are taken: requests that are out, or about to go. */
  placesTaken: () => number;
  /** True when what waits to be recorded takes places from others, or might soon. */
  isPressed: () => boolean;
};

/** A worker killed mid-job must not cost the delivery: Postgres decides how often a job may die, not BullMQ. */
const MAX_STALLED_COUNT = 100;
/**
 * Short, so that a job whose worker is lost runs again within 20 s. Too short is harmless: a job that is taken for lost
 * and run twice is refused by the claim, for Postgres holds the lease.
 */
const LOCK_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;
/** BullMQ waits this long after a lost connection; its own 15 s would outlast most outages. */
const RETRY_AFTER_OUTAGE_MS = 500;
/** A wake-up that Redis gave to a worker that is frozen or cut off wakes nobody else: others look again after this. */
const IDLE_LOOK_S = 1;
/** Of the most deliveries that may be unfinished. */
const PRESSED_AT = 0.75;
/** How often a closing consumer asks whether Redis is still there to be told how its jobs ended. */
const CLOSING_CHECK_MS = 250;
/** A right may be granted while we wait for it. */
const RIGHTS_CHECK_MS = 500;
/** Finished jobs kept for the dashboard; Postgres keeps the history. */
const KEPT_JOBS = 1_000;
/** Keeping a completed job costs Redis a quarter of what running it does, so of a long rush a worker keeps only a part. */
const COMPLETED_KEPT_PER_SECOND = 50;

/** The consuming side: runs `run` for every delivery that a job brings, as many at once as there are places. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const onError = (error: Error) => options.onError(explained(error));
  const connection = connectConsumer(options.redisUrl, onError);
  const inFlight = new Set<Promise<JobEnding>>();
  const places = createPlaces(options.concurrency);
  const runDeps = {
    ...options,
    run: inPlace(places, {
      ...options,
      run: (delivery, request) => tracked(inFlight, options.run(delivery, request)),
    }),
  };
  const runJob = createRunJob(runDeps);
  const isKept = createAllowance(KEPT_JOBS, COMPLETED_KEPT_PER_SECOND);
  const run = async (job: Job, token: string | undefined) => {
    await runJob(job, token);
    if (!isKept()) job.opts.removeOnComplete = true;
  };
  const makeWorker = () => {
    const workerOptions = {
      connection,
      prefix: options.prefix,
      autorun: false,
      concurrency: mostUnfinished(options.concurrency),
      maxStalledCount: MAX_STALLED_COUNT,
      drainDelay: IDLE_LOOK_S,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      runRetryDelay: RETRY_AFTER_OUTAGE_MS,
      settings: { backoffStrategy: recordedDelay },
      removeOnComplete: { count: KEPT_JOBS },
      removeOnFail: { count: KEPT_JOBS },
    };
    const made = new JobWorker(DELIVERY_QUEUE, run, workerOptions, places);
    made.on('error', (error) => {
      made.noteError(error);
      onError(error);
    });
    return made;
  };
  const closing = new AbortController();
  let worker: JobWorker | undefined;
  let isForbidden = false;

  async function takeJobs(): Promise<void> {
    while (!closing.signal.aborted && worker === undefined) {
      isForbidden = await refusesToTellItsVersion(connection, onError);
      if (closing.signal.aborted) return;
      if (!isForbidden) worker = makeWorker();
      else await delay(RIGHTS_CHECK_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
    await worker?.run();
  }

  return {
    start: () => void takeJobs().catch(onError),
    runWithoutJob: (delivery, maxAttempts) => runWithoutJob(runDeps, delivery, maxAttempts),
    answers: () => redisAnswers(connection),
    takesJobs: async () => (await redisTakesWrites(connection, options.prefix, onError)) && worker?.isFed === true,
    isRefused: () => isForbidden || worker?.isRefused === true,
    inFlight: () => inFlight.size,
    sparePlaces: places.spare,
    hasRoomFor: places.hasRoomFor,
    placesTaken: places.taken,
    isPressed: () => places.unfinished() >= PRESSED_AT * mostUnfinished(options.concurrency),
    close: async (deadlineMs) => {
      closing.abort();
      places.close();
      const done = new AbortController();
      const closed = worker?.close().catch(onError);
      const abandoned = untilNoRedis(inFlight, () => redisAnswers(connection), done.signal);
      await within(deadlineMs, Promise.race([closed, abandoned])).finally(() => done.abort());
      connection.disconnect();
    },
  };
}

/**
 * BullMQ asks a Redis for its version once; a worker that was refused then is dead and does not say so. So it is made when that
 * has been allowed. Waits for Redis as long as it must.
 */
async function refusesToTellItsVersion(redis: Redis, onError: (error: Error) => void): Promise<boolean> {
  return redis.info().then(
    () => false,
    (error: Error) => {
      onError(error);
      return true;
    },
  );
}

/**
 * An orderly close waits for Redis for ever. Without it, down or frozen, only the deliveries in flight are worth waiting
 * for: what they came to is on record in Postgres.
 */
async function untilNoRedis(
  inFlight: ReadonlySet<Promise<unknown>>,
  redisAnswers: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await Promise.allSettled(inFlight);
    if (!(await redisAnswers()) && inFlight.size === 0) return;
    await delay(CLOSING_CHECK_MS, undefined, { signal }).catch(() => {});
  }
}

/** Before anything is claimed. What finds no place because the worker is about to end is the next worker's. */
function inPlace(
  places: Places,
  { run, isCrowded, hold, onRequestOver }: Pick<ConsumerOptions, 'run' | 'isCrowded' | 'hold' | 'onRequestOver'>,
): RunJobDeps['run'] {
  return async (delivery) => {
    // A job of an earlier version does not say whose it is.
    const endpointId = delivery.endpointId ?? delivery.deliveryId;
    if (!delivery.isReleased && isCrowded(endpointId)) return hold(delivery);
    const place = await places.take(endpointId);
    if (place === null) return { kind: 'snooze', delayMs: 0 };
    if (place === 'crowded') return hold(delivery);
    const isOver = (over: RequestOver) => {
      place.vacate(over);
      onRequestOver({ deliveryId: delivery.deliveryId, endpointId }, over);
    };
    return run(delivery, { begins: place.begin, isOver }).finally(place.leave);
  };
}

/** True for the first `burst`, and from then on so often a second (a token bucket). */
function createAllowance(burst: number, perSecond: number): () => boolean {
  let left = burst;
  let countedAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(left + ((now - countedAt) / 1_000) * perSecond, burst);
    countedAt = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

function tracked<T>(running: Set<Promise<T>>, work: Promise<T>): Promise<T> {
  running.add(work);
  return work.finally(() => running.delete(work));
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const tooLate = delay(deadlineMs, undefined, { signal: done.signal }).catch(() => {});
  await Promise.race([work, tooLate]).finally(() => done.abort());
}
