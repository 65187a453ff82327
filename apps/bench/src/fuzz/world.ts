import fc from 'fast-check';
import { type Call, openApi } from '../benchmark/load.js';
import type { Stack } from '../stack/stack.js';
import type { World } from './requests.js';

const ROLES = ['admin', 'producer', 'viewer'] as const;
type Made = { id: string; key: string; deliveries: { id: string }[] };

/** Two customers with a key of each role, endpoints at `receiverUrl`, an event and what became of it. */
export async function makeWorld({ apiUrls, adminKey }: Stack, receiverUrl: string): Promise<World> {
  const call = openApi({ url: apiUrls[0] ?? '', key: adminKey });
  const make = (path: string, body: object) => call('POST', `/v1/${path}`, body) as Promise<Made>;
  const customers = await Promise.all(['Acme', 'Globex'].map((name) => furnish(make, name, receiverUrl)));
  const [mine, theirs] = customers;
  const revoked = await make('api-keys', { customer_id: mine?.id, role: 'admin', name: 'revoked' });
  await revoke(call, revoked.id);
  return {
    callers: {
      platform: adminKey,
      ...mine?.keys,
      'admin of another customer': theirs?.keys.admin,
      'revoked key': revoked.key,
      'wrong key': 'dw_00000000000000000000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      nobody: undefined,
    },
    ids: {
      customers: customers.map(({ id }) => id),
      endpoints: customers.flatMap(({ endpoints }) => endpoints),
      'drift-events': customers.flatMap(({ events }) => events),
      deliveries: customers.flatMap(({ deliveries }) => deliveries),
      'api-keys': [revoked.id, ...customers.map(({ spareKey }) => spareKey)],
    },
    hints: hintsFor(customers, receiverUrl),
  };
}

async function furnish(make: (path: string, body: object) => Promise<Made>, name: string, url: string) {
  const { id } = await make('customers', { name });
  const mine = { customer_id: id };
  const made = await Promise.all(ROLES.map((role) => make('api-keys', { ...mine, role, name: role })));
  const keys = Object.fromEntries(ROLES.map((role, index) => [role, made[index]?.key])) as Record<string, string>;
  const spare = await make('api-keys', { ...mine, role: 'viewer', name: 'spare' });
  const endpoints = await Promise.all(
    ['one', 'two', 'three'].map((each) => make('endpoints', { ...mine, name: each, url })),
  );
  const event = await make('drift-events', { ...mine, data: DATA });
  return {
    id,
    keys,
    spareKey: spare.id,
    endpoints: endpoints.map((endpoint) => endpoint.id),
    events: [event.id],
    deliveries: event.deliveries.map((delivery) => delivery.id),
  };
}

function revoke(call: Call, id: string): Promise<unknown> {
  return call('DELETE', `/v1/api-keys/${id}`);
}

const DATA = { drift_type: 'MEAN', baseline_value: 0.1, current_value: 0.3, severity: 0.8, confidence: 0.9 };

function hintsFor(customers: readonly { id: string; endpoints: string[] }[], url: string): World['hints'] {
  const text = fc.string({ minLength: 1, maxLength: 30 }).map((name) => `n${name.trim()}`);
  const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
  const key = fc.nat(30).map((n) => `key-${n}`);
  return {
    name: text,
    url: fc.constantFrom(url, `${url}in?x=1`),
    customer_id: fc.constantFrom(...customers.map(({ id }) => id)),
    endpoint_id: fc.constantFrom(...customers.flatMap(({ endpoints }) => endpoints)),
    event_type: fc.constantFrom('drift.created', 'drift.a.b', 'model.shifted'),
    event_types: fc.constantFrom(['*'], ['drift.*'], ['drift.created', 'model.shifted']),
    secret: fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`),
    headers: fc.constantFrom<unknown>({}, { 'X-Team': 'drift' }, { Authorization: 'Bearer x' }),
    min_severity: fc.constantFrom(null, 0, 0.5, 1),
    severity: fc.constantFrom(0, 0.5, 1),
    confidence: fc.constantFrom(0, 0.5, 1),
    expires_at: fc.constantFrom(null, '2099-01-01T00:00:00Z'),
    occurred_at: moment.map((at) => at.toISOString()),
    created_after: moment.map((at) => at.toISOString()),
    created_before: moment.map((at) => at.toISOString()),
    limit: fc.integer({ min: 1, max: 200 }).map(String),
    idempotency_key: key,
    'Idempotency-Key': key,
    drift_type: fc.constantFrom('MEAN', 'DENIAL_RATE'),
  };
}
