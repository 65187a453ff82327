import { createConsumer } from '@driftwire/queue';
import { type OwnRedis, ownRedis, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aWakeUp, setupQueue } from './setup-queue.js';

let redis: OwnRedis;
let close = async () => {};
beforeEach(async () => {
  redis = await ownRedis();
  await redis.start();
});
afterEach(async () => {
  await close();
  await redis.close();
});

const JOBS = 20;

test.each<[string, Command, Command]>([
  ['read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ['full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
])(
  'while jobs wait in a Redis that is %s, it is asked for them twice a second, and they run when it lets go',
  async (_, take, giveBack) => {
    const { start, ran } = await setup();
    await redis.run(...take);
    const startedAt = performance.now();
    const before = await scriptsRun();
    start();
    await until(async () => (await scriptsRun()) - before >= 6, { deadlineMs: 10_000 });
    expect(performance.now() - startedAt).toBeGreaterThan(1_500);
    await redis.run(...giveBack);
    await until(() => ran() === JOBS, { deadlineMs: 3_000 });
  },
  30_000,
);

type Command = [string, ...string[]];

/** A consumer that has not been started yet, for which jobs wait. */
async function setup() {
  const { producer, close: closeQueue } = await setupQueue(() => ({ kind: 'done' }), {
    consumers: 0,
    redisUrl: redis.url,
  });
  await until(() => producer.answers());
  await producer.addJobs(Array.from({ length: JOBS }, () => aWakeUp()));
  let ran = 0;
  const consumer = createConsumer({
    redisUrl: redis.url,
    prefix: 'test',
    onError: () => {},
    concurrency: 100,
    run: async () => {
      ran += 1;
      return { kind: 'done' };
    },
    isCrowded: () => false,
    hold: async () => ({ kind: 'done' }),
    onRequestOver: () => {},
    enqueue: () => {},
    onMalformedJob: () => {},
  });
  close = async () => {
    await consumer.close(2_000);
    await closeQueue();
  };
  return { start: consumer.start, ran: () => ran };
}

async function scriptsRun(): Promise<number> {
  const stats = String(await redis.run('INFO', 'commandstats'));
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}
