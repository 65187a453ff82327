import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { acceptEvents, findOrphans, recordAttempts, storedDays } from '../src/index.js';
import { anEvent, aRecord, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(async () => {
  await at.prisma.idempotencyKey.deleteMany();
  await at.deleteDeliveries();
  await at.prisma.driftEvent.deleteMany();
});
afterAll(() => at.close());

const today = () => new Date().toISOString().slice(0, 10);
const search = async (batch?: number) =>
  (await findOrphans(at.prisma, today(), batch === undefined ? {} : { batch })).map(
    ({ what, looked, orphans, examples }) => [what, looked, orphans, examples],
  );

/** An event with a key, its delivery and its attempt. */
async function aStory() {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const event = anEvent(customerId, { idempotency: { key: randomUUID(), bodyHash: '00' } });
  const [[acceptance] = []] = await acceptEvents(at.direct, [[event]], { maxAttempts: 3 });
  const [delivery] = acceptance?.kind === 'created' ? acceptance.deliveries : [];
  const deliveryId = delivery?.id ?? '';
  await recordAttempts(at.prisma, [aRecord(await at.claim(deliveryId))]);
  return { customerId, eventId: event.id, deliveryId, endpointId: delivery?.endpointId ?? '' };
}

test('what was accepted, sent and recorded has no orphans, however it is cut into statements', async () => {
  for (let stories = 1; stories <= 7; stories += 1) await aStory();
  await at.prisma.$executeRaw`
    INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome)
    SELECT delivery_id, number + 1, customer_id, round, started_at, outcome FROM attempts`;
  const none = [
    ['drift events without their customer', 7, 0, []],
    ['deliveries without their endpoint', 7, 0, []],
    ['deliveries without their drift event', 7, 0, []],
    ['attempts without their delivery', 14, 0, []],
    ['idempotency keys without their drift event', 7, 0, []],
  ];
  for (const batch of [1, 3, 7, 1_000]) expect(await search(batch)).toEqual(none);
});

type Story = Awaited<ReturnType<typeof aStory>>;

test.each<[string, (story: Story) => Promise<unknown>, (story: Story) => Record<string, string>]>([
  [
    'an attempt whose delivery was deleted',
    ({ deliveryId }) => at.prisma.delivery.delete({ where: { id: deliveryId } }),
    ({ deliveryId }) => ({ 'attempts without their delivery': deliveryId }),
  ],
  [
    'a delivery and a key whose event was deleted',
    ({ eventId }) => at.prisma.driftEvent.delete({ where: { id: eventId } }),
    ({ deliveryId, eventId }) => ({
      'deliveries without their drift event': deliveryId,
      'idempotency keys without their drift event': eventId,
    }),
  ],
  [
    'a delivery that belongs to another customer than all it refers to',
    ({ deliveryId }) =>
      at.prisma.$executeRaw`UPDATE deliveries SET customer_id = gen_random_uuid() WHERE id = ${deliveryId}::uuid`,
    ({ deliveryId }) => ({
      'deliveries without their endpoint': deliveryId,
      'deliveries without their drift event': deliveryId,
      'attempts without their delivery': deliveryId,
    }),
  ],
  [
    'an endpoint that was deleted',
    ({ endpointId }) => at.prisma.endpoint.delete({ where: { id: endpointId } }),
    ({ deliveryId }) => ({ 'deliveries without their endpoint': deliveryId }),
  ],
  [
    'a customer that was deleted',
    async ({ customerId }) => {
      await at.prisma.endpoint.deleteMany({ where: { customerId } });
      await at.prisma.$executeRaw`ALTER TABLE audit_log DISABLE TRIGGER USER`;
      await at.prisma.auditLine.deleteMany({ where: { customerId } });
      await at.prisma.customer.delete({ where: { id: customerId } });
    },
    ({ eventId, deliveryId }) => ({
      'drift events without their customer': eventId,
      'deliveries without their endpoint': deliveryId,
    }),
  ],
])('found among others: %s', async (_, spoil, expected) => {
  await aStory();
  const story = await aStory();
  await aStory();
  await spoil(story);
  const found = (await findOrphans(at.prisma, today(), { batch: 2 })).filter(({ orphans }) => orphans > 0);
  expect(found.map(({ orphans }) => orphans)).toEqual(found.map(() => 1));
  expect(Object.fromEntries(found.map(({ what, examples }) => [what, examples[0]]))).toEqual(expected(story));
});

test('of many orphans all are counted, and some are named', async () => {
  const ids = await at.deliveries(30, {});
  await at.prisma.driftEvent.deleteMany();
  const found = (await findOrphans(at.prisma, today(), { batch: 4 })).find(({ orphans }) => orphans > 0);
  expect(found).toMatchObject({ what: 'deliveries without their drift event', looked: 30, orphans: 30 });
  expect(found?.examples).toEqual(ids.toSorted().slice(0, 5));
});

test('the days that are there end with tomorrow', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  expect((await storedDays(at.prisma)).slice(-2)).toEqual([today(), tomorrow]);
});
