import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acceptEvents, DRIFTWIRE, type NewDelivery, recordAttempts, retryFinishedDelivery } from '../src/index.js';
import { anEvent, aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

test('the deliveries of a statement are shared out equally, in the order of the events, whatever requests they came in', async () => {
  const customers = [await at.aCustomer(), await at.aCustomer()] as const;
  for (const customer of customers) await at.anEndpoint(customer);
  await at.anEndpoint(customers[0]);
  const requests = [eventsOf(customers[0], 3), eventsOf(customers[1], 1), eventsOf(customers[0], 2)];
  const deliveries = await accept(requests, 4);
  expect(deliveries).toHaveLength(11);
  expect(sizes(deliveries)).toEqual([4, 4, 3]);
  for (const { id, jobId } of deliveries) expect((await at.delivery(id)).jobId).toBe(jobId);
});

test.each([
  [1, 16, [null]],
  [5, 1, [null, null, null, null, null]],
])('%d deliveries, %d to a job: each has one of its own', async (events, perJob, expected) => {
  const customer = await at.aCustomer();
  await at.anEndpoint(customer);
  const deliveries = await accept([eventsOf(customer, events)], perJob);
  expect(deliveries.map(({ jobId }) => jobId)).toEqual(expected);
});

test('statements never share a bundle', async () => {
  const customer = await at.aCustomer();
  await at.anEndpoint(customer);
  const [one, other] = [await accept([eventsOf(customer, 2)], 16), await accept([eventsOf(customer, 2)], 16)];
  expect(one[0]?.jobId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(one[0]?.jobId).not.toBe(other[0]?.jobId);
});

test('a retry leaves its bundle in the statement that records it, and says its generation, also when it is asked again', async () => {
  const { id, jobId } = await aBundled();
  const record = aRecord(await at.claim(id), toRetry(0));
  const answer = { deliveryId: id, number: 1, moved: true, generation: 2, locked: false };
  expect(await recordAttempts(at.prisma, [record])).toEqual([answer]);
  expect(await at.delivery(id)).toMatchObject({ status: 'retrying', generation: 2, jobId: null });
  expect(jobId).not.toBeNull();
  expect(await recordAttempts(at.prisma, [record])).toEqual([answer]);
  expect((await at.ask(id, { generation: 1 })).verdict).toBe('superseded');
  expect((await at.ask(id, { generation: 2 })).verdict).toBe('claimed');
});

test('what has ended keeps the id of its bundle, until a manual retry gives it a job of its own', async () => {
  const { id, jobId } = await aBundled();
  await recordAttempts(at.prisma, [aRecord(await at.claim(id), toFailed('gone'))]);
  expect(await at.delivery(id)).toMatchObject({ status: 'failed', generation: 1, jobId });
  expect(await retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE)).toMatchObject({ generation: 2, jobId: null });
});

async function aBundled(): Promise<NewDelivery> {
  const customer = await at.aCustomer();
  await at.anEndpoint(customer);
  const [delivery] = await accept([eventsOf(customer, 2)], 16);
  if (delivery === undefined) throw new Error('nothing was accepted');
  return delivery;
}

async function accept(requests: ReturnType<typeof eventsOf>[], deliveriesPerJob: number): Promise<NewDelivery[]> {
  const acceptances = await acceptEvents(at.direct, requests, { maxAttempts: 3, deliveriesPerJob });
  return acceptances.flat().flatMap((one) => (one.kind === 'created' ? one.deliveries : []));
}

function eventsOf(customer: string, count: number) {
  return Array.from({ length: count }, () => anEvent(customer));
}

/** Of the bundles, in the order in which they come. */
function sizes(deliveries: readonly NewDelivery[]): number[] {
  const counts = new Map<string | null, number>();
  for (const { jobId } of deliveries) counts.set(jobId, (counts.get(jobId) ?? 0) + 1);
  return [...counts.values()];
}
