import { aDriftEvent, type Stack, startApi, startWorker, type TestProcess, until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { openDatabase } from './open-database.js';
import { aStack, cleanUp, cleanups } from './own-stacks.js';

afterEach(cleanUp, 40_000);

/** Two beats and the grace. */
const SOON = { deadlineMs: 16_000 };
const NOWHERE = 'redis://127.0.0.1:1';

test('a job hash in no list of BullMQ: its delivery is sent within two beats', async () => {
  const stack = await aStack({ workers: 0 });
  const { customerId } = await stack.customerWithEndpoint();
  const { deliveries } = await stack.postEvent(customerId);
  await until(() => stack.redis.redis.lrem('driftwire:deliveries:wait', 1, `${deliveries[0].id}-1`).then(Boolean));
  await startOne(stack);
  await until(() => stack.receiver.requests.length === 1, SOON);
  expect(await stack.deliveryIn('success', deliveries[0].id)).toMatchObject({ attempt_count: 1 });
}, 60_000);

test('an API that ended with Redis away, and deadlines set behind a backlog: with nothing waiting, sent within two beats', async () => {
  const stack = await aStack({ workers: 0 });
  const database = openDatabase(stack);
  cleanups.push(database.close);
  const { customerId } = await stack.customerWithEndpoint();
  // A Redis that no sweeper has seen before would be taken for a wiped one.
  const first = await startOne(stack);
  await until(() => database.prisma.queueEpoch.count().then(Boolean));
  await first.stop();
  const away = await startApi({ databaseUrl: stack.database.url, redisUrl: NOWHERE });
  for (let n = 0; n < 3; n += 1) {
    const body = aDriftEvent({ customer_id: customerId });
    expect((await stack.api.at(away.url).post('/v1/drift-events', body)).status).toBe(202);
  }
  away.signal('SIGKILL');
  await database.prisma.$executeRaw`UPDATE deliveries SET recover_at = now() + interval '15 min'`;
  await startOne(stack);
  await until(() => stack.receiver.requests.length === 3, SOON);
}, 60_000);

async function startOne({ database, redis }: Stack): Promise<TestProcess> {
  const worker = await startWorker({ databaseUrl: database.url, redisUrl: redis.url });
  cleanups.push(worker.stop);
  return worker;
}
