import { type OwnRedis, ownRedis, type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';

let redis: OwnRedis;
let stack: Stack;
beforeAll(async () => {
  redis = await ownRedis();
  stack = await startStack({ redisUrl: redis.url });
});
afterAll(async () => {
  await stack.close();
  await redis.close();
});

test('without Redis, /metrics tells how many deliveries are overdue and for how long; when they are sent, none', async () => {
  const { id } = await postDelivery(stack);
  const postedAt = Date.now();
  await until(async () => (await gauge('driftwire_deliveries_overdue')) === 1, { deadlineMs: 15_000 });
  const oldestS = await gauge('driftwire_oldest_overdue_seconds');
  expect(oldestS).toBeGreaterThan(5);
  expect(oldestS).toBeLessThan((Date.now() - postedAt) / 1000 + 1);
  await redis.start();
  await stack.deliveryIn('success', id);
  await until(async () => (await gauge('driftwire_deliveries_overdue')) === 0);
  expect(await gauge('driftwire_oldest_overdue_seconds')).toBe(0);
}, 40_000);

async function gauge(name: string): Promise<number> {
  const metrics = await (await fetch(`${stack.workers[0]?.url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{.*\\} ([\\d.]+)$`, 'm').exec(metrics)?.[1]);
}
