import type { Database } from '@driftwire/database';
import { type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from './open-database.js';

let stack: Stack;
let database: Database;
beforeAll(async () => {
  stack = await startStack();
  database = openDatabase(stack);
});
afterAll(async () => {
  await database.close();
  await stack.close();
});

test('an attempt is recorded although the partition of its day was detached, and the webhook is sent once', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  await database.prisma.$executeRawUnsafe(`ALTER TABLE attempts DETACH PARTITION attempts_${day}`);
  const event = await stack.postEvent(customerId);
  const delivery = await stack.deliveryIn('success', event.deliveries[0].id);
  expect(delivery).toMatchObject({ attempt_count: 1, attempts: [{ number: 1, response_code: 200 }] });
  expect(stack.receiver.requests).toHaveLength(1);
});

test('a worker has a gauge of the days ahead', async () => {
  const metrics = async () => (await fetch(`${stack.workers[0]?.url}/metrics`)).text();
  await until(async () => /driftwire_partition_days_ahead\{.*\} 8\n/.test(await metrics()));
});
