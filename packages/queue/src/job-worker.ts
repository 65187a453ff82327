import { setTimeout as delay } from 'node:timers/promises';
import { type Job, type JobJson, Worker, type WorkerOptions } from 'bullmq';
import type { Places } from './places.js';
import { isReply } from './redis-refusal.js';

/** Long enough to cost nothing, short enough that nobody notices when Redis takes writes again. */
const REFUSED_PAUSE_MS = 500;
/** Of a long queue. */
const TAKEN_AT_ONCE = 8;
/** So long it takes until the webhook of a delivery that came alone is on its way. */
const LOOK_AGAIN_MS = 5;
/** What BullMQ takes for a job that waits. */
const READY = { member: '0', score: 0 };

/** A job that Redis has given to this worker and BullMQ has not been told of yet. */
type TakenJob = { data: JobJson; id: string; token: string };

type Processor = (job: Job, token: string | undefined) => Promise<void>;

/**
 * BullMQ's worker with three changes.
 *
 * It counts deliveries, not jobs: it asks for a job only while there is room for a delivery more, and neither takes the wake-up that
 * another worker could use nor is handed a job for one that has ended.
 *
 * It begins a job as soon as it has it. BullMQ fetches until nothing is left or it is full, and begins the first one then; being told
 * that the queue is drained, it begins, and waits for the next in the meantime. For a moment it does not, when a delivery came alone: BullMQ
 * makes a worker look again after each job, and that look would be in the way of the one it has. Of a queue that turns out to be long it
 * takes several at once. Never more than it has room for: a job that is taken and does not run is one that no other worker can run.
 *
 * And it pauses after a refusal. BullMQ asks again at once when Redis answers, but refuses to hand out a job: full, read-only, a
 * user who may not. That is 10,000 errors a second and a busy core for as long as it lasts.
 */
export class JobWorker extends Worker {
  /** True when Redis let us have jobs, or said that there are none, when it was last asked. */
  isFed = false;
  /** True when it refused: that is no outage, and no other worker would fare better. */
  isRefused = false;
  readonly #places: Places;
  readonly #taken: TakenJob[] = [];
  /** Jobs that BullMQ has been told of and that have not begun, with the deliveries they carry. */
  readonly #found: Map<Job, number>;
  /** Fetches in a row that brought as many jobs as were asked for: one, one, two, four, eight. */
  #fullFetches = 0;
  #cameAlone = false;
  #mostCarried = 1;

  constructor(name: string, process: Processor, options: WorkerOptions, places: Places) {
    const found = new Map<Job, number>();
    const begin: Processor = (job, token) => {
      found.delete(job);
      return process(job, token);
    };
    super(name, begin, options);
    this.#found = found;
    this.#places = places;
    const { backend } = this;
    const waitForJob = backend.waitForJob.bind(backend);
    backend.waitForJob = async (timeoutS) => {
      if (this.#taken.length > 0 || (await this.#waitForRoom())) return READY;
      if (this.#cameAlone) await delay(LOOK_AGAIN_MS);
      return waitForJob(timeoutS);
    };
  }

  /** To be told of every error that it emits: most refusals show in no other way. */
  noteError(error: Error): void {
    if (isReply(error)) this.#isAllowed(false);
  }

  #isAllowed(yes: boolean): void {
    this.isFed = yes;
    this.isRefused = !yes;
  }

  #room(): number {
    const ahead = [...this.#found.values()].reduce((sum, deliveries) => sum + deliveries, 0);
    return this.#places.room() - ahead;
  }

  /** Answers whether there was none. */
  async #waitForRoom(): Promise<boolean> {
    let hasWaited = false;
    while (this.#room() <= 0 && !this.closing) {
      hasWaited = true;
      await this.#places.change();
    }
    return hasWaited;
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    const next = this.#taken.shift();
    if (next !== undefined) return this.nextJobFromJobData(next.data, next.id, next.token);
    await this.#waitForRoom();
    if (this.closing) return this.nextJobFromJobData();
    const wanted = Math.min(2 ** (this.#fullFetches - 1), TAKEN_AT_ONCE);
    const count = Math.max(Math.floor(Math.min(wanted, this.#room() / this.#mostCarried)), 1);
    const [job] = await Promise.all([
      super.moveToActive(token, name).catch(pauseAfterRefusal),
      this.#takeMore(count - 1, token, name),
    ]);
    this.#isAllowed(true);
    const isFull = job !== undefined && this.#taken.length === count - 1;
    this.#fullFetches = isFull ? this.#fullFetches + 1 : 0;
    this.#cameAlone = this.#fullFetches === 1 && job !== undefined && deliveriesIn(job.data) === 1;
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
    if (job !== undefined) {
      const carried = deliveriesIn(job.data);
      this.#found.set(job, carried);
      this.#mostCarried = Math.max(this.#mostCarried, carried);
      // Private, and read at one place: whether to wait for the next job rather than to ask for it before this one has begun.
      Reflect.set(this, 'drained', true);
    }
    return job;
  }

  override processJob(job: Job, token: string) {
    return super.processJob(job, token, () => false).finally(() => this.#found.delete(job));
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

function deliveriesIn(data: unknown): number {
  const others = typeof data === 'object' && data !== null && 'others' in data ? data.others : undefined;
  return Array.isArray(others) ? 1 + others.length : 1;
}

async function pauseAfterRefusal(error: unknown): Promise<never> {
  await delay(REFUSED_PAUSE_MS);
  throw error;
}
