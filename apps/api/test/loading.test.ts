import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADMIN_API_KEY, apiClient, freshDatabase, freshRedis, startApi } from '@driftwire/testing';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LISTING = { NODE_DEBUG: 'esm,module' };

test.each(['apps/api', 'apps/worker'])('%s judges its environment before it loads anything but zod', async (app) => {
  const environment = {
    ...LISTING,
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    REDIS_URL: 'redis://127.0.0.1:1',
    ADMIN_API_KEY,
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32).toString('base64')}`,
  };
  const check = promisify(execFile)(process.execPath, [`${ROOT}${app}/dist/main.js`, '--check-config'], {
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(packagesLoaded((await check).stderr)).toEqual(['packages/postgres-url', 'packages/runtime', 'zod']);
});

const FOR_PAGES = ['@bull-board/api', '@bull-board/fastify', '@fastify/static', '@fastify/swagger-ui', 'zod-openapi'];

test('what serves the pages for people, and what sends, is loaded when somebody asks and not before', async () => {
  const [database, redis] = await Promise.all([freshDatabase(), freshRedis()]);
  const api = await startApi({ databaseUrl: database.url, redisUrl: redis.url, env: LISTING });
  const client = apiClient(api.url);
  expect((await client.post('/v1/customers', { name: 'Acme' })).status).toBe(201);
  const needed = packagesLoaded(api.output());
  expect(needed).toEqual(expect.arrayContaining(['bullmq', 'fastify', '@prisma/client']));
  for (const name of [...FOR_PAGES, 'got', 'packages/sender']) expect(needed).not.toContain(name);

  for (const page of ['/docs/', '/openapi.json', '/queues']) expect((await client.get(page)).status).toBe(200);
  expect(packagesLoaded(api.output())).toEqual(expect.arrayContaining(FOR_PAGES));
  await api.stop();
  await Promise.all([redis.close(), database.drop()]);
});

/** By the files that Node says it loads, and by what their source maps say is in them; sorted. */
function packagesLoaded(output: string): string[] {
  const bundles = [...output.matchAll(/Storing file:\/\/(\S+\/dist\/\S+\.js)/g)].map(([, file = '']) => file);
  const parts = bundles.flatMap((file): string[] => JSON.parse(readFileSync(`${file}.map`, 'utf8')).sources);
  const single = output.match(/load "\S+\/node_modules\/\S+/g) ?? [];
  const names = [...parts, ...single].flatMap((path) => {
    const [, installed] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
    const [, ours] = /\/(packages\/[^/]+)\//.exec(path) ?? [];
    return installed ?? ours ?? [];
  });
  return [...new Set(names)].sort();
}
