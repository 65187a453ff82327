import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeCommand } from '@driftwire/local-servers';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { withSession } from '../stack/database-session.js';
import type { Stack } from '../stack/stack.js';
import { measureCosts } from './costs.js';
import { cpuMsOf } from './cpu-times.js';
import type { Receivers } from './receivers.js';
import { TEXTBOOK_QUEUE, type TextbookJob } from './textbook-queue.js';

export type TextbookRun = {
  deliveries: number;
  seconds: number;
  perSecond: number;
  cpuMs: Record<'worker' | 'postgres' | 'redis', number>;
};

export type BareGotRun = { requests: number; seconds: number; perSecond: number; cpuMsPerRequest: number };

const SECRET = 'benchmark';

/** The textbook worker, on the same servers, against the same receivers, with the same bodies. */
export async function runTextbook(
  { stack, receivers }: { stack: Stack; receivers: Receivers },
  deliveries: number,
  onProgress: (arrived: number, expected: number) => void,
): Promise<TextbookRun> {
  const ids = await withSession(stack.databaseUrl, ({ query }) =>
    query<{ id: string }>(INSERT_DELIVERIES, [deliveries]),
  );
  const connection = new Redis(stack.redisUrl);
  const queue = new Queue<TextbookJob>(TEXTBOOK_QUEUE, { connection });
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: stack.databaseUrl, REDIS_URL: stack.redisUrl, SECRET };
  const worker = startYardstick('textbook-worker', env);
  try {
    // It says when it is ready.
    await once(worker.stdout, 'data');
    await addAndDrain(queue, ids.slice(0, WARM_UP));
    receivers.forget();
    const cpuBefore = cpuMsOf(worker.pid ?? 0);
    const { result: seconds, costs } = await measureCosts(stack, async () => {
      const startedAt = performance.now();
      await addAndDrain(queue, ids.slice(WARM_UP), (left) => onProgress(ids.length - left, ids.length));
      return (performance.now() - startedAt) / 1_000;
    });
    const measured = ids.length - WARM_UP;
    const arrived = new Set(receivers.arrivals.map(({ deliveryId }) => deliveryId)).size;
    if (arrived !== measured) throw new Error(`${arrived} of the textbook worker's ${measured} deliveries arrived`);
    return {
      deliveries: measured,
      seconds,
      perSecond: measured / seconds,
      cpuMs: {
        worker: cpuMsOf(worker.pid ?? 0) - cpuBefore,
        postgres: costs.postgres.cpuMs,
        redis: costs.redis.cpuMs,
      },
    };
  } finally {
    worker.kill('SIGTERM');
    await queue.close();
    connection.disconnect();
  }
}

/** As if it had been one run. */
export function together(one: TextbookRun, other: TextbookRun): TextbookRun {
  const [deliveries, seconds] = [one.deliveries + other.deliveries, one.seconds + other.seconds];
  const cpuMs = {
    worker: one.cpuMs.worker + other.cpuMs.worker,
    postgres: one.cpuMs.postgres + other.cpuMs.postgres,
    redis: one.cpuMs.redis + other.cpuMs.redis,
  };
  return { deliveries, seconds, perSecond: deliveries / seconds, cpuMs };
}

const WARM_UP = 200;
const DRAINED_WITHIN_MS = 120_000;

/** Not due for anybody else: no sweeper touches them while they are the textbook's. */
const INSERT_DELIVERIES = `
  INSERT INTO deliveries
    (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
  SELECT uuidv7_at(created_at), customer_id, event_id, endpoint_id, event_type, max_attempts, now() + interval '1 day',
    now() + interval '1 day', created_at
  FROM deliveries LIMIT $1 RETURNING id`;

async function addAndDrain(
  queue: Queue<TextbookJob>,
  deliveries: readonly { id: string }[],
  onProgress: (left: number) => void = () => {},
): Promise<void> {
  const opts = { attempts: 3, backoff: { type: 'exponential', delay: 1_000 }, removeOnComplete: true };
  await queue.addBulk(deliveries.map(({ id }) => ({ name: 'deliver', data: { deliveryId: id }, opts })));
  const deadline = performance.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts();
    if (failed > 0) throw new Error('the textbook worker failed a job');
    const left = waiting + active + delayed;
    if (left === 0) return;
    if (performance.now() > deadline) throw new Error(`the textbook worker has left ${left} jobs undone`);
    onProgress(left);
    await pause(20);
  }
}

/** got in a loop in a process of its own, against the same receivers; a quarter more of them first, uncounted. */
export function runBareGot(target: BareGotTarget, requests: number): Promise<BareGotRun> {
  return withBareGot({ ...target, atOnce: 100 }, async (run) => {
    // What is compared with it has been running for a while, too.
    await run(requests / 4);
    return run(requests);
  });
}

type BareGotTarget = { receivers: Pick<Receivers, 'urls'>; body: string };

/** One process of it, that is asked for so many requests as often as somebody wants to know. */
export async function withBareGot<T>(
  { receivers, body, atOnce }: BareGotTarget & { atOnce: number },
  use: (run: (requests: number) => Promise<BareGotRun>) => Promise<T>,
): Promise<T> {
  const env = {
    PATH: process.env.PATH ?? '',
    URLS: receivers.urls.join(),
    SECRET,
    BODY: body,
    CONCURRENCY: `${atOnce}`,
  };
  const child = startYardstick('bare-got', env);
  // It has ended, and its output says so.
  child.stdin.on('error', () => {});
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  try {
    return await use(async (requests) => {
      child.stdin.write(`${requests}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('the bare got loop failed');
      const { ms, cpuMs } = JSON.parse(value) as { ms: number; cpuMs: number };
      return { requests, seconds: ms / 1_000, perSecond: requests / (ms / 1_000), cpuMsPerRequest: cpuMs / requests };
    });
  } finally {
    child.kill();
  }
}

/** With the flags that API and workers get: what differs is the code. */
function startYardstick(name: string, env: Record<string, string>) {
  const script = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const { file, args, ...options } = nodeCommand({ script, env });
  return spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
}
