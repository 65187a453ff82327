import { connectDatabase, createSealer, type PrismaClient } from '@driftwire/database';
import { type ApiAnswer, type ApiClient, type Stack, startStack } from '@driftwire/testing';
import { expect } from '@jest/globals';
import { apiRoutes } from '../src/api-routes.js';
import { createCursors } from '../src/cursor.js';
import type { Route } from '../src/route.js';

/** The stack without workers unless asked for, and its database open to look into. */
export type ApiStack = Stack & { prisma: PrismaClient };

export async function setup(options: Parameters<typeof startStack>[0] = {}): Promise<ApiStack> {
  const stack = await startStack({ workers: 0, ...options });
  const { prisma, close } = connectDatabase({
    url: stack.database.url,
    applicationName: 'test',
    poolSize: 2,
    onConnectionLost: () => {},
  });
  return {
    ...stack,
    prisma,
    close: async () => {
      await close();
      await stack.close();
    },
  };
}

export const roles = ['admin', 'producer', 'viewer'] as const;

/** A customer with a key of each role; clients that use them. */
export type Customer = { id: string; adminKey: string } & Record<(typeof roles)[number], ApiClient>;

export async function aCustomer({ api }: Pick<Stack, 'api'>): Promise<Customer> {
  const { id } = (await api.post('/v1/customers', { name: 'Acme' })).body;
  const keys = await Promise.all(
    roles.map(async (role): Promise<string> => {
      const { body } = await api.post('/v1/api-keys', { customer_id: id, role, name: role });
      return body.key;
    }),
  );
  const [adminKey = ''] = keys;
  const [admin, producer, viewer] = keys.map((key) => api.as(key));
  if (!admin || !producer || !viewer) throw new Error('a key is missing');
  return { id, adminKey, admin, producer, viewer };
}

/** What an API error must look like, wherever it comes from. */
export function aProblem(status: number, code: string) {
  const text = expect.any(String);
  return expect.objectContaining({
    status,
    headers: ofTypeProblem,
    body: expect.objectContaining({
      type: `urn:driftwire:problem:${code}`,
      status,
      code,
      title: text,
      detail: text,
      request_id: expect.stringMatching(UUID_V7),
    }),
  });
}

const ofTypeProblem = {
  asymmetricMatch: (headers: Headers) => /^application\/problem\+json/.test(headers.get('content-type') ?? ''),
};

export const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The route list the API serves, to generate tests from; nothing behind it works. */
export const routes = apiRoutes({
  prisma: connectDatabase({
    url: 'postgres://127.0.0.1:1',
    applicationName: 'none',
    poolSize: 1,
    onConnectionLost: () => {},
  }).prisma,
  sealer: createSealer([{ id: 'none', key: Buffer.alloc(32) }]),
  now: () => new Date(),
  cursors: createCursors('none'),
  findCustomer: () => Promise.reject(new Error('there are no customers')),
  accept: () => Promise.reject(new Error('nothing is accepted')),
  rideOut: (work) => work(),
  addressPolicy: { allowPrivate: true, ports: [] },
  checkName: async () => null,
  maxAttempts: 3,
  maxEndpointsPerCustomer: 50,
  enqueue: () => {},
  send: () => Promise.reject(new Error('nothing is sent')),
  onAccepted: () => {},
});

export const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

/** Calls a route of the list; `id` stands in its path. */
export function call(client: ApiClient, { method, path }: Pick<Route, 'method' | 'path'>, options: CallOptions = {}) {
  const url = path.replace(':id', options.id ?? UNKNOWN_ID);
  const calls = {
    GET: () => client.get(url),
    POST: () => client.post(url, options.body),
    PATCH: () => client.patch(url, options.body ?? {}),
    DELETE: () => client.delete(url),
  } satisfies Record<Route['method'], () => Promise<ApiAnswer>>;
  return calls[method]();
}

type CallOptions = { id?: string | undefined; body?: unknown };
