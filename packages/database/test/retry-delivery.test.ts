import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DRIFTWIRE, recordAttempts, retryFinishedDelivery } from '../src/index.js';
import { aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const retry = (id: string) => retryFinishedDelivery(at.prisma, { id }, DRIFTWIRE);

async function aFailedDelivery() {
  const delivery = await at.aDelivery();
  const claim = await at.claim(delivery.id);
  await recordAttempts(at.prisma, [aRecord(claim, toFailed())]);
  return { ...delivery, claim };
}

test('a retry is a new round: counts back to 0, next generation, next number, due at once', async () => {
  const { id } = await aFailedDelivery();
  expect(await retry(id)).toMatchObject({ id, generation: 2 });
  expect(await at.delivery(id)).toMatchObject({
    status: 'pending',
    failureReason: null,
    completedAt: null,
    round: 2,
    failedCount: 0,
    starts: 0,
    fence: 2,
    recoverAt: expect.any(Date),
  });
  expect(await at.claim(id, { generation: 2 })).toMatchObject({ fence: 2, round: 2 });
});

test('the job of the round before is superseded', async () => {
  const { id } = await aFailedDelivery();
  await retry(id);
  expect((await at.ask(id, { generation: 1 })).verdict).toBe('superseded');
});

test('of ten retries at the same moment one makes a round', async () => {
  const { id } = await aFailedDelivery();
  const answers = await Promise.all(Array.from({ length: 10 }, () => retry(id)));
  const stored = await at.prisma.delivery.findUniqueOrThrow({ where: { id } });
  expect(stored).toMatchObject({ round: 2, generation: 2 });
  expect(answers.filter((answer) => answer !== null)).toEqual([stored]);
});

test('an unfinished delivery cannot be retried, whether it waits, is in flight or is to be tried again', async () => {
  const [waiting, flying, retrying] = await Promise.all([at.aDelivery(), at.aDelivery(), at.aDelivery()]);
  await at.claim(flying.id);
  await recordAttempts(at.prisma, [aRecord(await at.claim(retrying.id), toRetry())]);
  for (const { id } of [waiting, flying, retrying]) expect(await retry(id)).toBeNull();
});

test('a delivery whose endpoint is inactive or deleted cannot be retried', async () => {
  const { id, endpointId } = await aFailedDelivery();
  const pause = { active: false, inactiveReason: 'paused' } as const;
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: pause });
  expect(await retry(id)).toBeNull();
  const remove = { deletedAt: new Date(), secretSealed: null };
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: remove });
  expect(await retry(id)).toBeNull();
});

test('a late failure of the round before cannot fail the new one, even before its first attempt', async () => {
  const { id, claim } = await aFailedDelivery();
  await retry(id);
  const before = await at.delivery(id);
  expect(await recordAttempts(at.prisma, [aRecord(claim, toFailed('gone'))])).toMatchObject([{ moved: false }]);
  expect(await at.delivery(id)).toEqual(before);
});

test('a delivery cancelled before its first attempt begins at number 1', async () => {
  const { id, endpointId } = await at.aDelivery();
  const pause = { active: false, inactiveReason: 'paused' } as const;
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: pause });
  await at.ask(id);
  await at.prisma.endpoint.update({ where: { id: endpointId }, data: { active: true, inactiveReason: null } });
  expect(await retry(id)).toMatchObject({ id, generation: 2 });
  expect((await at.claim(id, { generation: 2 })).fence).toBe(1);
});
