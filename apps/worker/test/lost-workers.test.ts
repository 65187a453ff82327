import { type OwnRedis, ownRedis, type Stack, startStack, startWorker, until } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';

// These wait for leases (21 s) and for the watchdog (30 s), so they wait at the same time.

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
}, 60_000);

const PATIENCE = { deadlineMs: 50_000 };
const SLOW_RETRY = { RETRY_BASE_DELAY_MS: '600000' };

test.concurrent('frozen for longer than its lease, a worker wakes up: its late success counts', async () => {
  const { stack, worker, freeze, survivor, firstThen } = await aStackToFreeze();
  const { id, requests } = await postDelivery(stack, { replies: firstThen(200, 500) });
  await until(() => requests().length === 1);
  freeze();
  await survivor();
  const taken = await until(async () => {
    const { body } = await stack.api.get(`/v1/deliveries/${id}`);
    return body.status === 'retrying' && body;
  }, PATIENCE);
  expect(taken.attempts).toMatchObject([{ outcome: 'unknown' }, { response_code: 500 }]);
  worker.signal('SIGCONT');
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts).toMatchObject([{ outcome: 'unknown', response_code: 200 }, { response_code: 500 }]);
}, 90_000);

test.concurrent('frozen for longer than its lease, a worker wakes up: its late failure changes nothing', async () => {
  const { stack, worker, freeze, survivor, firstThen } = await aStackToFreeze();
  const { id, requests } = await postDelivery(stack, { replies: firstThen(500, 200) });
  await until(() => requests().length === 1);
  freeze();
  await survivor();
  await until(() => requests().length === 2, PATIENCE);
  const before = await stack.deliveryIn('success', id);
  const linesBefore = worker.output().length;
  worker.signal('SIGCONT');
  await until(() => worker.output().slice(linesBefore).includes('"to":"unmoved"'));
  expect((await stack.api.get(`/v1/deliveries/${id}`)).body).toEqual(before);
}, 90_000);

test.concurrent('a worker that is killed in flight, and its job stalled more often than BullMQ allows: delivered all the same', async () => {
  const stack = await aStack({ workers: 1 });
  const { id, requests } = await postDelivery(stack, { replies: ['hang', 200] });
  await until(() => requests().length === 1);
  await stack.redis.redis.hset(`driftwire:deliveries:${id}-1`, 'stc', 100_000);
  stack.workers[0]?.signal('SIGKILL');
  cleanups.push((await startWorker(optionsOf(stack))).stop);
  await until(() => requests().length === 2, PATIENCE);
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts).toMatchObject([{ outcome: 'unknown' }, { outcome: 'response' }]);
}, 90_000);

test.concurrent('an attempt longer than the grace is cut off, and another worker delivers when its lease has run out', async () => {
  const stack = await aStack({ env: { SHUTDOWN_GRACE_MS: '500' } });
  const { id, requests } = await postDelivery(stack, { replies: ['hang', 200] });
  await until(() => requests().length === 1);
  const startedAt = performance.now();
  expect(await stack.workers[0]?.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3_500);
  cleanups.push((await startWorker(optionsOf(stack))).stop);
  await until(() => requests().length === 2, PATIENCE);
  expect(await stack.deliveryIn('success', id)).toMatchObject({ attempt_count: 2 });
}, 90_000);

test.concurrent('a worker to which no job comes, although one is overdue, says that it is wedged and exits', async () => {
  const redis = await ownRedis();
  cleanups.push(redis.close);
  await redis.start();
  const stack = await aStack({ redisUrl: redis.url, env: { LOG_LEVEL: 'fatal' } });
  await forbidTakingJobs(redis);
  await postDelivery(stack);
  expect(await stack.workers[0]?.exited).toBe(70);
  expect(stack.workers[0]?.output()).toMatch(/"overdue":1,"inFlight":0,"msg":"worker.wedged"/);
}, 90_000);

async function aStack(options: Parameters<typeof startStack>[0]): Promise<Stack> {
  const stack = await startStack(options);
  cleanups.push(stack.close);
  return stack;
}

/** The receiver answers the first request only once the worker that sent it is frozen. */
async function aStackToFreeze() {
  const env = { ...SLOW_RETRY, REQUEST_TIMEOUT_MS: '3000' };
  const stack = await aStack({ env });
  const [worker] = stack.workers;
  if (worker === undefined) throw new Error('no worker');
  cleanups.push(async () => worker.signal('SIGCONT'));
  let answerFirst = () => {};
  const frozen = new Promise<void>((resolve) => (answerFirst = resolve));
  let asked = 0;
  return {
    stack,
    worker,
    freeze: () => {
      worker.signal('SIGSTOP');
      answerFirst();
    },
    survivor: async () => {
      cleanups.push((await startWorker({ ...optionsOf(stack), env })).stop);
    },
    firstThen: (first: number, later: number) => async () => {
      asked += 1;
      if (asked > 1) return later;
      await frozen;
      return first;
    },
  };
}

function optionsOf(stack: Stack) {
  return { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
}

/** It may answer and be read, but no script runs and no wake-up is taken. */
async function forbidTakingJobs(redis: OwnRedis): Promise<void> {
  await redis.run('ACL', 'SETUSER', 'default', '-evalsha', '-eval', '-bzpopmin');
}
