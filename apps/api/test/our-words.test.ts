import type { ApiAnswer, ApiClient } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Route } from '../src/route.js';
import { type ApiStack, aCustomer, type Customer, routes, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let ids: Record<string, string>;
beforeAll(async () => {
  stack = await setup({ workers: 1 });
  customer = await aCustomer(stack);
  const { body: made } = await customer.admin.post('/v1/endpoints', { name: 'one', url: stack.receiver.url });
  const { deliveries } = await stack.postEvent(customer.id);
  await stack.deliveryIn('success', deliveries[0].id);
  ids = { endpoints: made.id, deliveries: deliveries[0].id };
});
afterAll(() => stack.close());

/** How the validation library begins its own sentences. */
const NOT_OURS =
  /invalid (input|option|key|value|string|element|uuid)|expected .* received|unrecognized key|too (small|big)|zod/i;

const BENT: unknown[] = [null, true, 0, -1, 1.5, 1e300, '', 'x', 'x'.repeat(2_000), [], [null], [[]], {}, { a: null }];

test.each(routes.filter(({ body }) => body !== undefined))(
  '$operationId refuses bent bodies in our own words',
  async (route) => {
    const client = clientOf(route);
    for (const body of bentBodies(route)) expectOurs(await write(client, route, JSON.stringify(body)), body);
  },
);

test.each(routes.filter(({ query }) => query !== undefined))(
  '$operationId refuses parameters that are bent or given twice in our own words',
  async (route) => {
    for (const name of Object.keys(route.query?.shape ?? {})) {
      for (const query of [`${name}=1&${name}=2`, `${name}=&${name}=`]) {
        const answer = await clientOf(route).get(`${route.path}?${query}`);
        expect(answer.status).toBe(400);
        expect(answer.body.errors).toEqual([{ pointer: `/${name}`, detail: 'must be given once' }]);
        expect(answer.body.detail).toBe(`/${name} must be given once.`);
      }
      for (const bent of ['', 'x', '-1', '1e9', 'x'.repeat(2_000), '%00', '%EF%BB%BF', '[]', 'null']) {
        expectOurs(await clientOf(route).get(`${route.path}?${name}=${bent}`), `${name}=${bent}`);
      }
      expectOurs(await clientOf(route).get(`${route.path}?${name}[]=1&${name}[a]=1`), `${name}[]`);
    }
  },
);

test('a body that is null or no object is told so', async () => {
  for (const body of ['null', '[]', '1', '"x"', 'true']) {
    const answer = await customer.admin.post('/v1/endpoints', body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toBe('The request must be an object.');
  }
  const answer = await customer.admin.post('/v1/endpoints', { name: 'x', url: stack.receiver.url, secret: null });
  expect(answer.body.errors).toEqual([{ pointer: '/secret', detail: 'must be a text' }]);
});

function clientOf({ access }: Route): ApiClient {
  return access === 'platform' ? stack.api : customer.admin;
}

function write(client: ApiClient, { method, path }: Route, body: string): Promise<ApiAnswer> {
  const [, , thing = ''] = path.split('/');
  const target = path.replace(':id', ids[thing] ?? UNKNOWN_ID);
  return method === 'PATCH' ? client.patch(target, body) : client.post(target, body);
}

function expectOurs({ status, text }: ApiAnswer, sent: unknown): void {
  expect({ sent, isFault: status >= 500, words: NOT_OURS.exec(text)?.[0] }).toEqual({ sent, isFault: false });
}

/** The whole bent, and each of its members, at any depth, in a body that is otherwise as bare as it can be. */
function bentBodies({ body }: Route): unknown[] {
  const schema = z.toJSONSchema(body ?? z.never(), { io: 'input', unrepresentable: 'any' });
  return pathsOf(schema).flatMap((path) => BENT.map((bent) => path.reduceRight<unknown>(around, bent)));
}

function around(value: unknown, step: string): unknown {
  return step === '[]' ? [value] : { [step]: value };
}

type JsonSchema = z.core.JSONSchema.JSONSchema | boolean | undefined;

function pathsOf(schema: JsonSchema, root: JsonSchema = schema): string[][] {
  if (typeof schema !== 'object') return [[]];
  if (schema.$ref !== undefined && typeof root === 'object') {
    return pathsOf(root.$defs?.[schema.$ref.replace('#/$defs/', '')], root);
  }
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    pathsOf(member, root).map((path) => [name, ...path]),
  );
  const { items } = schema;
  const ofItem = typeof items === 'object' && !Array.isArray(items) ? pathsOf(items, root) : [];
  return [[], ...inner, ...ofItem.map((path) => ['[]', ...path])];
}
