import { type OwnRedis, ownRedis, type Stack, startProxy, startWorker, until } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';
import { aStack, cleanUp, cleanups } from './own-stacks.js';

// These wait for leases (21 s) and for the watchdog (30 s), so they wait at the same time (`maxConcurrency` in
// jest.config.ts).

afterAll(cleanUp, 60_000);

const PATIENCE = { deadlineMs: 50_000 };
/** Time for a test to do something while the receiver is asked. */
const PATIENT = { REQUEST_TIMEOUT_MS: '3000' };

test.concurrent('a worker to which no job comes, although one waits and is overdue, says that it is wedged and exits; an idle one goes on', async () => {
  const redis = await aRedis();
  await redis.run('HSET', 'driftwire:deliveries:meta', 'concurrency', 0);
  const idle = await aStack({ redisUrl: redis.url });
  const busy = await aStack({ redisUrl: redis.url, workers: 0 });
  const { event } = await postDelivery(busy);
  await until(() => Date.now() - Date.parse(event.created_at) > OVERDUE_MS);
  const wedged = await startWorker({ ...optionsOf(busy), redisUrl: redis.url });
  expect(await wedged.exited).toBe(70);
  expect(wedged.output()).toMatch(/"overdue":1,"waiting":1,"inFlight":0,"msg":"worker.wedged"/);
  expect((await fetch(`${idle.workers[0]?.url}/healthz`)).status).toBe(200);
}, 90_000);

test.concurrent('frozen for longer than its lease, a worker wakes up: its late success counts', async () => {
  const { stack, worker, freeze, survivor, replies } = await aStackToFreeze(200, 500);
  const { id, requests } = await postDelivery(stack, { replies });
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
  const { stack, worker, freeze, survivor, replies } = await aStackToFreeze(500, 200);
  const { id, requests } = await postDelivery(stack, { replies });
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

test.concurrent('Postgres is away from the answer until the lease has run out: the attempt is unknown, and the next succeeds', async () => {
  const stack = await aStack({ workers: 0 });
  const proxy = await startProxy(stack.database.url);
  const worker = await startWorker({ ...optionsOf(stack), databaseUrl: proxy.url, env: PATIENT });
  cleanups.push(async () => proxy.cut(), worker.stop);
  const held = holdFirst(200, 200);
  const { id, requests } = await postDelivery(stack, { replies: held.reply });
  await until(() => requests().length === 1);
  proxy.cut();
  held.answer();
  await until(() => worker.output().includes('delivery.interrupted'), PATIENCE);
  await proxy.restore();
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts).toMatchObject([{ outcome: 'unknown' }, { response_code: 200 }]);
  expect(requests()).toHaveLength(2);
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

test.concurrent('the lock of a job is deleted in flight: its delivery is retried all the same', async () => {
  const stack = await aStack({ env: PATIENT });
  const held = holdFirst(500, 200);
  const { id, requests } = await postDelivery(stack, { replies: held.reply });
  await until(() => requests().length === 1);
  expect(await stack.redis.redis.del(`driftwire:deliveries:${id}-1:lock`)).toBe(1);
  held.answer();
  await until(() => requests().length === 2, PATIENCE);
  expect(await stack.deliveryIn('success', id)).toMatchObject({ attempt_count: 2 });
}, 90_000);

test.concurrent('in flight when Redis becomes read-only, a delivery is recorded at once, and retried when Redis takes writes', async () => {
  const redis = await aRedis();
  const stack = await aStack({ redisUrl: redis.url, env: PATIENT });
  const held = holdFirst(500, 200);
  const { id, requests } = await postDelivery(stack, { replies: held.reply });
  await until(() => requests().length === 1);
  await redis.run('REPLICAOF', '127.0.0.1', CLOSED_PORT);
  held.answer();
  await stack.deliveryIn('retrying', id);
  await until(() => stack.workers[0]?.output().includes('READONLY'));
  await redis.run('REPLICAOF', 'NO', 'ONE');
  await until(() => requests().length === 2, PATIENCE);
  const delivery = await stack.deliveryIn('success', id);
  expect(delivery.attempts).toMatchObject([{ response_code: 500 }, { response_code: 200 }]);
}, 90_000);

const CLOSED_PORT = '1';
const OVERDUE_MS = 6_000;

async function aRedis(): Promise<OwnRedis> {
  const redis = await ownRedis();
  cleanups.push(redis.close);
  await redis.start();
  return redis;
}

/** The first request is answered when the test says so, those after it at once. */
function holdFirst(first: number, later: number) {
  let answer = () => {};
  const allowed = new Promise<void>((resolve) => (answer = resolve));
  let asked = 0;
  return {
    answer: () => answer(),
    reply: async () => {
      asked += 1;
      if (asked > 1) return later;
      await allowed;
      return first;
    },
  };
}

/** The receiver answers the first request only once the worker that sent it is frozen. */
async function aStackToFreeze(...answers: [first: number, later: number]) {
  const env = { ...PATIENT, RETRY_BASE_DELAY_MS: '600000' };
  const stack = await aStack({ env });
  const [worker] = stack.workers;
  if (worker === undefined) throw new Error('no worker');
  cleanups.push(async () => worker.signal('SIGCONT'));
  const { reply, answer } = holdFirst(...answers);
  return {
    stack,
    worker,
    replies: reply,
    freeze: () => {
      worker.signal('SIGSTOP');
      answer();
    },
    survivor: async () => {
      cleanups.push((await startWorker({ ...optionsOf(stack), env })).stop);
    },
  };
}

function optionsOf(stack: Stack) {
  return { databaseUrl: stack.database.url, redisUrl: stack.redis.url };
}
