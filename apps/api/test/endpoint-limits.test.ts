import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
beforeAll(async () => {
  stack = await setup();
});
beforeEach(async () => {
  customer = await aCustomer(stack);
});
afterAll(() => stack.close());

const create = (body: object | string) => customer.admin.post('/v1/endpoints', body);
const aNewEndpoint = async (limits: object = {}, name = 'one') =>
  (await create({ name, url: stack.receiver.url, ...limits })).body;
const patch = (id: string, body: object | string) => customer.admin.patch(`/v1/endpoints/${id}`, body);
const read = async (id: string) => (await customer.viewer.get(`/v1/endpoints/${id}`)).body;
/** What limits are kept by: whether there is a row for the rate, and how many slots. */
const keptBy = async (endpointId: string) => ({
  flows: await stack.prisma.endpointFlow.count({ where: { endpointId, customerId: customer.id } }),
  slots: await stack.prisma.endpointSlot.count({ where: { endpointId, customerId: customer.id } }),
});

test.each([
  [{ max_in_flight: 1 }, 1],
  [{ max_in_flight: 1_000 }, 1_000],
  [{ max_per_second: 0.1 }, 0],
  [{ max_per_second: 10_000 }, 0],
  [{ max_in_flight: 3, max_per_second: 2.5 }, 3],
])('limits %j are kept as given, at create and at change, with what keeps them', async (limits, slots) => {
  const created = await aNewEndpoint(limits);
  const { id } = await aNewEndpoint({}, 'two');
  const changed = (await patch(id, limits)).body;
  for (const endpoint of [created, changed]) {
    expect(endpoint).toMatchObject({ max_in_flight: null, max_per_second: null, ...limits });
    expect(await read(endpoint.id)).toMatchObject(limits);
    expect(await keptBy(endpoint.id)).toEqual({ flows: 1, slots });
  }
  expect((await customer.viewer.get('/v1/endpoints')).body.data).toEqual([
    expect.objectContaining(limits),
    expect.objectContaining(limits),
  ]);
});

test('without a limit nothing is made to keep one', async () => {
  const { id } = await aNewEndpoint({ max_in_flight: null, max_per_second: null });
  await patch(id, { max_in_flight: null, max_per_second: null, name: 'still none' });
  expect(await keptBy(id)).toEqual({ flows: 0, slots: 0 });
});

test('one limit is changed without the other, and null takes it off', async () => {
  const { id } = await aNewEndpoint({ max_in_flight: 2, max_per_second: 5 });
  const one = await patch(id, { max_in_flight: 4 });
  expect(one.body).toMatchObject({ max_in_flight: 4, max_per_second: 5, version: 2 });
  expect(await keptBy(id)).toEqual({ flows: 1, slots: 4 });
  expect((await patch(id, { max_in_flight: null })).body).toMatchObject({ max_in_flight: null, max_per_second: 5 });
  expect((await patch(id, { max_per_second: null })).body).toMatchObject({ max_in_flight: null, max_per_second: null });
  expect(await read(id)).toMatchObject({ max_in_flight: null, max_per_second: null });
});

test('a rotation of the secret answers with the limits', async () => {
  const { id } = await aNewEndpoint({ max_in_flight: 2, max_per_second: 0.5 });
  const rotated = await customer.admin.post(`/v1/endpoints/${id}/rotate-secret`);
  expect(rotated.body).toMatchObject({ max_in_flight: 2, max_per_second: 0.5 });
});

const IN_FLIGHT = 'must be a whole number from 1 to 1000, or null for no limit';
const PER_SECOND = 'must be a number from 0.1 to 10000, or null for no limit';
const bad: [string, unknown, string][] = [
  ...[0, 1_001, -1, 1.5, 1e300, '5', '', 'NaN', true, [5], {}].map((value): [string, unknown, string] => [
    'max_in_flight',
    value,
    IN_FLIGHT,
  ]),
  ...[0, 0.05, 0.0999, 10_001, 10_000.5, -1, 1e300, '5', 'NaN', 'Infinity', true, [5], {}].map(
    (value): [string, unknown, string] => ['max_per_second', value, PER_SECOND],
  ),
];
test.each(bad)('%s: %j is 400 at create and at change, and changes nothing', async (field, value, detail) => {
  const limits = { max_in_flight: 7, max_per_second: 7 };
  const { secret: _, ...before } = await aNewEndpoint(limits);
  const refused = { ...limits, [field]: value };
  for (const answer of [
    await create({ name: 'two', url: stack.receiver.url, ...refused }),
    await patch(before.id, { name: 'changed', ...refused }),
  ]) {
    expect(answer).toEqual(aProblem(400, 'invalid_request'));
    expect(answer.body.errors).toEqual([{ pointer: `/${field}`, detail }]);
  }
  expect((await customer.viewer.get('/v1/endpoints')).body.data).toEqual([before]);
});

const fields = ['max_in_flight', 'max_per_second'];
test.each(fields.flatMap((field) => ['NaN', 'Infinity', '-Infinity', '1e999'].map((text) => [field, text])))(
  '%s: %s, which is no number of JSON, is 400 at create and at change, and changes nothing',
  async (field, text) => {
    const { secret: _, ...before } = await aNewEndpoint();
    const body = `{"name":"two","url":"${stack.receiver.url}","${field}":${text}}`;
    for (const answer of [await create(body), await patch(before.id, body)]) {
      expect(answer).toEqual(aProblem(400, 'invalid_json'));
      expect(answer.body.errors).toHaveLength(1);
    }
    expect((await customer.viewer.get('/v1/endpoints')).body.data).toEqual([before]);
  },
);
