import { type OwnRedis, ownRedis, until } from '@driftwire/testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aStack, cleanUp, cleanups } from './own-stacks.js';
import { redisReadiness } from './redis-readiness.js';

let redis: OwnRedis;
beforeEach(async () => {
  redis = await ownRedis();
  cleanups.push(redis.close);
  await redis.start();
});
afterEach(cleanUp, 30_000);

const TIMEOUT_MS = 60_000;
/** Those of docs/configuration.md. */
const RIGHTS = ['~driftwire:*', '+@all', '-@admin', '-@dangerous', '+info'];

test('with the rights that the documentation names, and on its own database, everything works', async () => {
  await allow(...RIGHTS);
  const stack = await aStack({ redisUrl: urlFor('/1'), env: { RATE_LIMIT_PER_KEY: '1000' } });
  const { customerId } = await stack.customerWithEndpoint();
  stack.receiver.reply([500, 200]);
  const { deliveries } = await stack.postEvent(customerId);
  expect(await stack.deliveryIn('success', deliveries[0].id)).toMatchObject({ attempt_count: 2 });
  await until(async () => (await redisReadiness(stack)) === 'ok,ok');
  expect(await stack.api.get('/queues/api/queues')).toMatchObject({
    status: 200,
    body: { queues: [{ name: 'deliveries' }] },
  });
  for (const { output } of [...stack.apis, ...stack.workers]) expect(output()).not.toContain('NOPERM');
}, 60_000);

test.each([
  ['info', 'ok,down'],
  ['bzpopmin', 'ok,down'],
  ['evalsha', 'ok,down'],
  ['set', 'down,down'],
  ['select', 'down,down'],
])(
  'a user who may not %s: not ready from the first refusal, it is said which right is missing, and granted it is enough',
  async (right, readiness) => {
    await allow(...RIGHTS, `-${right}`);
    const stack = await aStack({ redisUrl: urlFor('/1') });
    const { customerId } = await stack.customerWithEndpoint();
    const { deliveries } = await stack.postEvent(customerId);
    await until(async () => (await redisReadiness(stack)) === readiness);
    expect((await fetch(`${stack.workers[0]?.url}/readyz`)).status).toBe(503);
    const said = new RegExp(`REDIS_URL [^:]*: NOPERM this user has no permissions to run the '${right}' command`);
    await until(() => said.test(stack.workers[0]?.output() ?? ''));
    await allow(...RIGHTS);
    // A job taken half, for a right was missing in the middle, is taken for lost after two looks.
    await until(() => stack.receiver.requests.length > 0, { deadlineMs: 25_000 });
    await stack.deliveryIn('success', deliveries[0].id);
    await until(async () => (await redisReadiness(stack)) === 'ok,ok');
    expect(stack.receiver.requests).toHaveLength(1);
  },
  TIMEOUT_MS,
);

test('a database that Redis does not have: said with the name of the variable, nothing is ready, and nothing goes into database 0', async () => {
  const stack = await aStack({ redisUrl: `${redis.url}/99` });
  const { customerId } = await stack.customerWithEndpoint();
  await stack.postEvent(customerId);
  for (const process of [...stack.apis, ...stack.workers]) {
    const said = await until(() => lineWith('redis.refused', process.output()));
    expect(said).toContain('the database that REDIS_URL names cannot be used: ERR DB index is out of range');
    expect(said).toContain('"level":"error"');
  }
  expect(await redisReadiness(stack)).toBe('down,down');
  expect(await redis.run('DBSIZE')).toBe(0);
}, 60_000);

test('a wrong password is said with the name of the variable', async () => {
  await allow(...RIGHTS);
  const stack = await aStack({ redisUrl: urlFor('/1').replace(PASSWORD, 'wrong') });
  for (const process of [...stack.apis, ...stack.workers]) {
    const said = await until(() => lineWith('redis.refused', process.output()));
    expect(said).toContain('the user or password in REDIS_URL is refused: WRONGPASS');
  }
  expect(await redisReadiness(stack)).toBe('down,down');
}, 60_000);

const PASSWORD = 'p%40ss';

function urlFor(path: string): string {
  const { host } = new URL(redis.url);
  return `redis://driftwire:${PASSWORD}@${host}${path}`;
}

const allow = (...rights: string[]) =>
  redis.run('ACL', 'SETUSER', 'driftwire', 'reset', 'on', `>${decodeURIComponent(PASSWORD)}`, ...rights);

const lineWith = (text: string, output: string) => output.split('\n').find((line) => line.includes(text));
