import { ADMIN_API_KEY, aDriftEvent, startApi } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, routes, setup, UUID_V7 } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
  customer = await aCustomer(stack);
  await customer.admin.post('/v1/endpoints', { name: 'hush-endpoint', url: stack.receiver.url });
  await customer.producer.post('/v1/drift-events', aDriftEvent({ event_type: 'drift.hush' }));
});
afterAll(() => stack.close());

const open = (path: string) => stack.api.as(null).get(path);

test('/healthz is 200', async () => {
  expect(await open('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('/readyz says that Postgres and Redis answer', async () => {
  expect(await open('/readyz')).toMatchObject({ status: 200, body: { postgres: 'ok', redis: 'ok' } });
});

test('/metrics counts requests by route and accepted events', async () => {
  const { status, headers, text } = await open('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text).toMatch(/driftwire_drift_events_accepted_total\{.*replayed="false".*} 1/);
  expect(text).toContain('route="/v1/drift-events",status="202"');
});

test('/docs is a page for people', async () => {
  const { status, headers, text } = await open('/docs');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/html/);
  expect(text).toContain('swagger-ui');
});

test('open pages hold nothing of a customer', async () => {
  const path = `/v1/endpoints/${customer.id}`;
  await open(path);
  for (const page of ['/healthz', '/readyz', '/metrics', '/docs', '/openapi.json']) {
    const { text } = await open(page);
    for (const theirs of [customer.id, 'hush', 'Acme', stack.receiver.url]) expect(text).not.toContain(theirs);
  }
});

test('/openapi.json is OpenAPI 3.1 and documents every route', async () => {
  const { status, body } = await open('/openapi.json');
  expect(status).toBe(200);
  expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Driftwire', version: expect.any(String) } });
  const documented = Object.entries<object>(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace('{id}', ':id')}`),
  );
  expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

test('every operation of /openapi.json is whole: parameters, answers, its own id, references that resolve', async () => {
  const { body: document } = await open('/openapi.json');
  const operationIds = new Set<string>();
  for (const [path, operations] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const operation of Object.values(operations)) {
      operationIds.add(operation.operationId);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name, required }) => [name, required])).toEqual(path.includes('{id}') ? [['id', true]] : []);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '500', '503']));
      for (const answer of Object.values(operation.responses)) expect(answer.description).toEqual(expect.any(String));
    }
  }
  expect(operationIds.size).toBe(routes.length);
  for (const [reference] of JSON.stringify(document).matchAll(/(?<="\$ref":")[^"]+/g)) {
    expect([reference, resolve(document, reference)]).toEqual([reference, expect.any(Object)]);
  }
});

type Operation = {
  operationId: string;
  parameters?: { in: string; name: string; required: boolean }[];
  responses: Record<string, { description: string }>;
};

function resolve(document: unknown, reference: string): unknown {
  const steps = reference.replace('#/', '').split('/');
  return steps.reduce<unknown>((at, step) => Object(at)[step], document);
}

const basic = (key: string) => `Basic ${Buffer.from(`anyone:${key}`).toString('base64')}`;
const queues = async (authorization?: string) => {
  const response = await fetch(`${stack.apis[0]?.url}/queues`, { headers: authorization ? { authorization } : {} });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
};

test('/queues without a key is 401 and makes a browser ask for one', async () => {
  for (const authorization of [undefined, 'Bearer wrong', basic('wrong')]) {
    const answer = await queues(authorization);
    expect(answer).toEqual(aProblem(401, 'unauthorized'));
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
  }
  for (const path of ['/queues/', '/queues/api/queues', '/queues/static/js/x.js']) {
    expect(await open(path)).toEqual(aProblem(401, 'unauthorized'));
  }
});

test('/queues opens with the platform key, as a bearer or as a password', async () => {
  const made = await stack.api.post('/v1/api-keys', { name: 'ops', role: 'admin' });
  for (const authorization of [`Bearer ${made.body.key}`, basic(made.body.key)]) {
    const { status, body } = await queues(authorization);
    expect(status).toBe(200);
    expect(body).toContain('<title>Driftwire</title>');
  }
  const { body } = await stack.api.get('/queues/api/queues');
  expect(body.queues).toMatchObject([{ name: 'deliveries', readOnlyMode: true, counts: { waiting: 1 } }]);
});

test("/queues is 403 for a customer's admin", async () => {
  expect(await customer.admin.get('/queues')).toEqual(aProblem(403, 'forbidden'));
  expect(await customer.admin.get('/queues/api/queues')).toEqual(aProblem(403, 'forbidden'));
});

test.each([
  '/healthz',
  '/docs/',
  '/openapi.json',
  '/queues',
  '/nowhere',
  '/v1/customers',
  `/v1/customers/${'x'.repeat(200)}`,
])('the answer to %s cannot be framed, sniffed or kept, and has a policy', async (path) => {
  const { headers } = await open(path);
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'content-security-policy': expect.stringMatching(/default-src|script-src/),
    'x-request-id': expect.stringMatching(UUID_V7),
  });
  if (!path.startsWith('/docs')) expect(headers.get('cache-control')).toBe('no-store');
});

test('/queues only shows, unless configured otherwise; and then acts for its own page alone', async () => {
  const env = { DASHBOARD_READ_ONLY: 'false' };
  const writable = await startApi({ databaseUrl: stack.database.url, redisUrl: stack.redis.url, env });
  const pause = async (url: string, headers: Record<string, string> = {}) => {
    const authorization = basic(ADMIN_API_KEY);
    const request = { method: 'PUT', headers: { authorization, ...headers } };
    return (await fetch(`${url}/queues/api/queues/deliveries/pause`, request)).status;
  };
  const isPaused = async () => (await stack.api.get('/queues/api/queues')).body.queues[0].isPaused;
  expect(await pause(stack.apis[0]?.url ?? '')).toBe(405);
  for (const site of ['cross-site', 'same-site', 'none']) {
    expect(await pause(writable.url, { 'sec-fetch-site': site })).toBe(403);
  }
  expect(await isPaused()).toBe(false);
  expect(await pause(writable.url, { 'sec-fetch-site': 'same-origin' })).toBe(200);
  expect(await isPaused()).toBe(true);
  await writable.stop();
});
