import { createLog } from '@driftwire/runtime';
import { ADMIN_API_KEY, apiClient, startApi, type TestProcess } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { mapErrors } from '../src/error-mapping.js';
import { servePagesOnDemand } from '../src/pages-on-demand.js';
import { type ApiStack, aProblem, setup } from './setup.js';

let stack: ApiStack;
beforeAll(async () => {
  stack = await setup({ apis: 1 });
});
afterAll(() => stack.close());

const freshApi = () => startApi({ databaseUrl: stack.database.url, redisUrl: stack.redis.url });
const get = (api: Pick<TestProcess, 'url'>, path: string, init: RequestInit = {}) =>
  fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_API_KEY}` }, redirect: 'manual', ...init });

async function open(path: string, method: string) {
  const response = await get({ url: stack.apis[0]?.url ?? '' }, path, { method });
  const text = await response.text();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, text, json };
}

test('of ten first requests at once, each is answered', async () => {
  const api = await freshApi();
  const paths = ['/docs/', '/openapi.json', '/queues', '/queues/api/queues', '/docs/static/index.css'];
  const answers = await Promise.all([...paths, ...paths].map((path) => get(api, path)));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  await api.stop();
});

test('the first request for the dashboard is refused like any other without a key, and its body is not read', async () => {
  const api = await freshApi();
  const answer = await get(api, '/queues', { method: 'POST', headers: {}, body: '{"half":' });
  expect(answer.status).toBe(404);
  expect((await get(api, '/queues', { headers: {} })).status).toBe(401);
  await api.stop();
});

test.each(['POST', 'PUT', 'DELETE'])('%s on a page that only shows is a 404 of ours', async (method) => {
  for (const path of ['/docs', '/openapi.json', '/queues']) {
    const { status, headers, json } = await open(path, method);
    expect({ status, headers, body: json }).toEqual(aProblem(404, 'not_found'));
    expect(json).toMatchObject({ request_id: headers.get('x-request-id') });
  }
});

test('HEAD is answered like GET, without a body', async () => {
  const { status, text } = await open('/openapi.json', 'HEAD');
  expect([status, text]).toEqual([200, '']);
});

test('requests for pages are counted once, under the route that answered', async () => {
  const api = await freshApi();
  for (const path of ['/queues/api/queues', '/openapi.json', '/openapi.json']) await get(api, path);
  const metrics = await (await get(api, '/metrics')).text();
  const counts = [...metrics.matchAll(/duration_seconds_count\{.*route="([^"]+)".*\} (\d+)/g)];
  const pages = counts.map(([, route, count]) => `${route} ${count}`).filter((line) => !/healthz|metrics/.test(line));
  expect(pages.sort()).toEqual(['/openapi.json 2', '/queues/api/queues 1']);
  await api.stop();
});

test('pages that cannot be built are a 500 of ours, and built when they can be', async () => {
  const app = Fastify({ forceCloseConnections: true });
  mapErrors(app, createLog({ service: 'test', level: 'silent' }));
  let isClosed = false;
  let builds = 0;
  servePagesOnDemand(app, {
    paths: ['/pages', '/pages/*'],
    build: async () => {
      builds += 1;
      if (builds === 1) throw new Error('a file is missing');
      const pages = Fastify();
      pages.get('/pages/one', async () => 'one');
      pages.addHook('onClose', async () => {
        isClosed = true;
      });
      return pages;
    },
  });
  const client = apiClient(await app.listen({ host: '127.0.0.1', port: 0 }));
  expect(await client.get('/pages/one')).toMatchObject({ status: 500, body: { code: 'internal_error' } });
  expect(await client.get('/pages/one')).toMatchObject({ status: 200, text: 'one' });
  expect(await client.get('/pages/one')).toMatchObject({ status: 200 });
  expect(builds).toBe(2);
  await app.close();
  expect(isClosed).toBe(true);
});
