import { type OwnRedis, ownRedis, type Stack, startProxy, type TcpProxy, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aStack, cleanUp, cleanups } from './own-stacks.js';
import { redisReadiness } from './redis-readiness.js';

let old: OwnRedis;
let promoted: OwnRedis;
let address: TcpProxy;
let stack: Stack;
/** Two Redis, one the replica of the other, behind one address that leads to the first. */
beforeEach(async () => {
  [old, promoted] = await Promise.all([aRedis(), aRedis()]);
  await demote(promoted, old);
  await until(async () => /master_link_status:up/.test(String(await promoted.run('INFO', 'replication'))));
  address = await startProxy(old.url);
  cleanups.push(async () => address.cut());
  stack = await aStack({ redisUrl: address.url });
  await until(async () => (await redisReadiness(stack)) === 'ok,ok');
}, 60_000);
afterEach(cleanUp, 30_000);

test('Redis is demoted and connections survive it: API and worker go to the new primary by themselves, nothing is lost or sent twice', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  const posted: string[] = [];
  const post = async () => {
    const { deliveries } = await stack.postEvent(customerId);
    posted.push(deliveries[0].id);
  };
  for (let n = 0; n < 20; n += 1) await post();
  await promote();
  const demotedAt = performance.now();
  for (let n = 0; n < 40; n += 1) await post();
  await until(() => arrived().size === posted.length, { deadlineMs: 4_000 });
  console.info(
    `all there ${Math.round(performance.now() - demotedAt)} ms after the switch, ${await failures()} tries failed`,
  );
  expect(stack.receiver.requests).toHaveLength(posted.length);
  expect(await failures()).toBeLessThanOrEqual(3);
  expect(await redisReadiness(stack)).toBe('ok,ok');
}, 60_000);

test('while the address still leads to the demoted one, nobody is ready, and nobody storms it', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  await demote(old, promoted);
  await until(async () => (await redisReadiness(stack)) === 'down,down');
  expect((await fetch(`${stack.workers[0]?.url}/readyz`)).status).toBe(503);
  await stack.postEvent(customerId);
  const [before, startedAt] = [await connections(), performance.now()];
  await until(async () => (await failures()) > 5);
  const seconds = (performance.now() - startedAt) / 1_000;
  expect((await connections()) - before).toBeLessThan(5 * (seconds + 1));
  await promote();
  await until(() => arrived().size === 1, { deadlineMs: 4_000 });
  await until(async () => (await redisReadiness(stack)) === 'ok,ok');
}, 60_000);

async function aRedis(): Promise<OwnRedis> {
  const redis = await ownRedis();
  cleanups.push(redis.close);
  await redis.start();
  return redis;
}

const demote = (redis: OwnRedis, to: OwnRedis) => redis.run('REPLICAOF', '127.0.0.1', new URL(to.url).port);

async function promote(): Promise<void> {
  await promoted.run('REPLICAOF', 'NO', 'ONE');
  address.leadTo(promoted.url);
  await demote(old, promoted);
}

const arrived = () => new Set(stack.receiver.requests.map(({ headers }) => headers['x-webhook-delivery-id']));

/** How often the API has tried in vain to enqueue. */
async function failures(): Promise<number> {
  const metrics = await (await fetch(`${stack.apis[0]?.url}/metrics`)).text();
  return Number(/^driftwire_enqueue_failures_total\S* (\d+)$/m.exec(metrics)?.[1]);
}

async function connections(): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(String(await old.run('INFO', 'stats')))?.[1]);
}
