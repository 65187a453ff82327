import { setTimeout as delay } from 'node:timers/promises';
import { type Job, type JobJson, Worker } from 'bullmq';
import { isReply } from './redis-refusal.js';

/** Long enough to cost nothing, short enough that nobody notices when Redis takes writes again. */
const REFUSED_PAUSE_MS = 500;
/** The deliveries of an event come together: where there is one job, there are more. */
const TAKEN_AT_ONCE = 4;

/** A job that Redis has given to this worker and BullMQ has not been told of yet. */
type TakenJob = { data: JobJson; id: string; token: string };

/**
 * BullMQ's worker with two changes.
 *
 * It takes up to four jobs in one round trip. BullMQ takes one after the other, so that the last of a few that come
 * together waits for as many answers, and each is claimed by itself. Never more than it has room for: a job that is taken
 * and does not run is one that no other worker can run.
 *
 * And it pauses after a refusal. BullMQ asks again at once when Redis answers, but refuses to hand out a job: full, read-only, a
 * user who may not. That is 10,000 errors a second and a busy core for as long as it lasts.
 */
export class JobWorker extends Worker {
  /** True when Redis let us have jobs, or said that there are none, when it was last asked. */
  isFed = false;
  /** True when it refused: that is no outage, and no other worker would fare better. */
  isRefused = false;
  readonly #taken: TakenJob[] = [];
  /** Jobs that BullMQ has been told of and that have not ended. */
  #running = 0;

  /** To be told of every error that it emits: most refusals show in no other way. */
  noteError(error: Error): void {
    if (isReply(error)) this.#isAllowed(false);
  }

  #isAllowed(yes: boolean): void {
    this.isFed = yes;
    this.isRefused = !yes;
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    const next = this.#taken.shift();
    if (next !== undefined) return this.nextJobFromJobData(next.data, next.id, next.token);
    const room = this.concurrency - this.#running;
    const [job] = await Promise.all([
      super.moveToActive(token, name).catch(pauseAfterRefusal),
      this.#takeMore(Math.min(TAKEN_AT_ONCE, room) - 1, token, name),
    ]);
    this.#isAllowed(true);
    return job === undefined && this.#taken.length > 0 ? this.moveToActive(token, name) : job;
  }

  async #takeMore(count: number, token: string, name: string | undefined): Promise<void> {
    const tokens = Array.from({ length: count }, (_, index) => `${token}:${index + 1}`);
    const answers = await Promise.allSettled(tokens.map((each) => this.backend.moveToActive(each, name)));
    answers.forEach((answer, index) => {
      // A refusal is told of by the first; it is the same for all.
      if (answer.status === 'rejected' || !answer.value[0]) return;
      const [data, id] = answer.value;
      this.#taken.push({ data, id, token: tokens[index] ?? token });
    });
    if (this.closing) await this.#giveBack();
  }

  protected override async nextJobFromJobData(data?: JobJson, id?: string, token?: string): Promise<Job> {
    const job = await super.nextJobFromJobData(data, id, token);
    if (job !== undefined) this.#running += 1;
    return job;
  }

  override processJob(...job: Parameters<Worker['processJob']>) {
    return super.processJob(...job).finally(() => {
      this.#running -= 1;
    });
  }

  override async close(force?: boolean): Promise<void> {
    const closed = super.close(force);
    await this.#giveBack();
    return closed;
  }

  /** So that other workers need not wait until Redis takes them for lost. */
  async #giveBack(): Promise<void> {
    const taken = this.#taken.splice(0);
    await Promise.allSettled(taken.map(({ id, token }) => this.backend.moveJobFromActiveToWait(id, token)));
  }
}

async function pauseAfterRefusal(error: unknown): Promise<never> {
  await delay(REFUSED_PAUSE_MS);
  throw error;
}
