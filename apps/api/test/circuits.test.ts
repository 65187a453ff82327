import { until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { lockWaiters } from './hold-lock.js';
import { type ApiStack, aCustomer, aProblem, type Customer, setup, UNKNOWN_ID } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let id: string;
beforeAll(async () => {
  stack = await setup();
});
beforeEach(async () => {
  customer = await aCustomer(stack);
  id = await aNewEndpoint('one');
});
afterAll(() => stack.close());

const CLOSED = { state: 'closed', since: null, failures: 0, next_probe_at: null };
const SINCE = new Date('2026-01-31T11:00:00.000Z');
const NEXT_PROBE_AT = new Date('2026-01-31T11:10:00.000Z');
const OPEN = {
  state: 'open',
  since: SINCE.toISOString(),
  failures: 12,
  next_probe_at: NEXT_PROBE_AT.toISOString(),
};
const MINUTE_MS = 60_000;

async function aNewEndpoint(name: string): Promise<string> {
  const { body } = await customer.admin.post('/v1/endpoints', { name, url: stack.receiver.url });
  return body.id;
}

/** As a worker would open it; `probeUntil` of a probe that is, or was, out. */
async function openCircuit(endpointId: string, probeUntil: Date | null = null) {
  await stack.prisma.endpointFlow.create({
    data: {
      endpointId,
      customerId: customer.id,
      circuitOpenedAt: SINCE,
      circuitFailures: 12,
      nextProbeAt: NEXT_PROBE_AT,
      probeWaitMs: MINUTE_MS,
      probeDeliveryId: probeUntil && UNKNOWN_ID,
      probeUntil,
    },
  });
}

const fromNow = (ms: number) => new Date(Date.now() + ms);
const read = async (endpointId = id) => (await customer.viewer.get(`/v1/endpoints/${endpointId}`)).body;
const patch = (body: object) => customer.admin.patch(`/v1/endpoints/${id}`, body);
const close = (client = customer.admin, body?: unknown) => client.post(`/v1/endpoints/${id}/close-circuit`, body);
const linesOf = async (subjectId = id) =>
  (await customer.admin.get(`/v1/audit-log?subject_id=${subjectId}`)).body.data.reverse();
const actionsOf = async () => (await linesOf()).map(({ action }: { action: string }) => action);

test('an endpoint shows its circuit in each state, alone and in a list', async () => {
  const [open, probed, halfOpen, crowded] = [
    await aNewEndpoint('open'),
    await aNewEndpoint('probed'),
    await aNewEndpoint('half open'),
    await aNewEndpoint('crowded'),
  ];
  await openCircuit(open);
  await openCircuit(probed, fromNow(-MINUTE_MS));
  await openCircuit(halfOpen, fromNow(MINUTE_MS));
  await stack.prisma.endpointFlow.create({
    data: { endpointId: crowded, customerId: customer.id, crowdedAt: SINCE },
  });
  const shown = {
    [crowded]: CLOSED,
    [halfOpen]: { ...OPEN, state: 'half_open', next_probe_at: null },
    [probed]: OPEN,
    [open]: OPEN,
    [id]: CLOSED,
  };
  for (const [endpointId, circuit] of Object.entries(shown)) expect((await read(endpointId)).circuit).toEqual(circuit);
  const { data } = (await customer.viewer.get('/v1/endpoints')).body;
  expect(data.map((endpoint: { id: string; circuit: object }) => [endpoint.id, endpoint.circuit])).toEqual(
    Object.entries(shown).sort(([a], [b]) => (a < b ? 1 : -1)),
  );
});

test('a change and a rotation that leave the circuit open show it open', async () => {
  await openCircuit(id);
  expect((await patch({ max_in_flight: 3 })).body.circuit).toEqual(OPEN);
  expect((await customer.admin.post(`/v1/endpoints/${id}/rotate-secret`)).body.circuit).toEqual(OPEN);
});

test.each([
  ['no body', undefined],
  ['{}', {}],
])('an admin closes a circuit, with %s: it is on record, with the key', async (_, body) => {
  await openCircuit(id, fromNow(MINUTE_MS));
  const answer = await close(customer.admin, body);
  expect(answer).toMatchObject({ status: 200, body: { id, version: 1, circuit: CLOSED } });
  expect(answer.body).toEqual(await read());
  const [, closed] = await linesOf();
  expect(closed).toMatchObject({
    action: 'endpoint.circuit_closed',
    actor: 'api_key',
    api_key_id: expect.any(String),
    customer_id: customer.id,
    detail: null,
    request_id: answer.headers.get('x-request-id'),
  });
});

test('closing what is not open answers the endpoint, and is not on record', async () => {
  expect(await close()).toMatchObject({ status: 200, body: { id, circuit: CLOSED } });
  await openCircuit(id);
  for (const answer of await Promise.all([close(), close(stack.api), close()])) {
    expect(answer).toMatchObject({ status: 200, body: { id, circuit: CLOSED } });
  }
  expect(await actionsOf()).toEqual(['endpoint.created', 'endpoint.circuit_closed']);
});

test('nobody else closes it, and nothing that is not asked for', async () => {
  await openCircuit(id);
  for (const client of [customer.producer, customer.viewer]) {
    expect(await close(client)).toEqual(aProblem(403, 'forbidden'));
  }
  expect(await close((await aCustomer(stack)).admin)).toEqual(aProblem(404, 'not_found'));
  for (const body of [{ force: true }, [], '{', 'null']) expect((await close(customer.admin, body)).status).toBe(400);
  expect((await read()).circuit).toEqual(OPEN);
  expect(await actionsOf()).toEqual(['endpoint.created']);
});

test('the circuit of another endpoint stays open', async () => {
  const other = await aNewEndpoint('other');
  await openCircuit(id);
  await openCircuit(other);
  await close();
  await patch({ active: true });
  expect((await read(other)).circuit).toEqual(OPEN);
});

test.each([
  ['another URL', { url: 'http://127.0.0.1:1/new' }],
  ['active: true', { active: true }],
  ['another URL while it is paused', { url: 'http://127.0.0.1:1/new', active: false }],
])('%s closes the circuit, on record beside the change', async (_, change) => {
  await openCircuit(id, fromNow(MINUTE_MS));
  const answer = await patch(change);
  expect(answer).toMatchObject({ status: 200, body: { ...change, version: 2, circuit: CLOSED } });
  expect(answer.body).toEqual(await read());
  const [, changed, closed, ...more] = await linesOf();
  const { actor, api_key_id, request_id } = changed;
  expect(changed).toMatchObject({ action: 'endpoint.changed', detail: { fields: Object.keys(change) } });
  expect(closed).toMatchObject({ action: 'endpoint.circuit_closed', actor, api_key_id, request_id, detail: null });
  expect(more).toEqual([]);
});

test.each([
  ['name', () => ({ name: 'renamed' })],
  ['url to what it is', () => ({ url: stack.receiver.url })],
  ['active: false', () => ({ active: false })],
  ['limits', () => ({ max_in_flight: 1, max_per_second: 1 })],
])('a change of %s leaves it open', async (_, change) => {
  await openCircuit(id);
  expect((await patch(change())).body.circuit).toEqual(OPEN);
  expect((await read()).circuit).toEqual(OPEN);
  expect(await actionsOf()).toEqual(['endpoint.created', 'endpoint.changed']);
});

test('a change that comes too late closes nothing', async () => {
  await openCircuit(id);
  const late = await stack.prisma.$transaction(async (session) => {
    await session.endpoint.update({ where: { id }, data: { version: { increment: 1 } } });
    const answer = patch({ url: 'http://127.0.0.1:1/new', active: true });
    await until(async () => (await lockWaiters(stack.prisma)) === 1);
    return { answer };
  });
  expect(await late.answer).toEqual(aProblem(409, 'endpoint_changed'));
  expect((await read()).circuit).toEqual(OPEN);
  expect(await actionsOf()).toEqual(['endpoint.created']);
});

test('a change that is refused because of its name closes nothing', async () => {
  await aNewEndpoint('taken');
  await openCircuit(id);
  expect(await patch({ name: 'taken', active: true })).toEqual(aProblem(409, 'name_taken'));
  expect((await read()).circuit).toEqual(OPEN);
  expect(await actionsOf()).toEqual(['endpoint.created']);
});
