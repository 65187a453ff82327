import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, DRIFTWIRE, deactivateGoneEndpoint, retryFinishedDelivery } from '../src/index.js';
import { type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const linesOf = (subjectId: string) => at.prisma.auditLine.findMany({ where: { subjectId }, orderBy: { id: 'asc' } });

test.each(['UPDATE audit_log SET action = $$nothing$$', 'DELETE FROM audit_log', 'TRUNCATE audit_log'])(
  'append-only: %s is refused',
  async (statement) => {
    const { id } = await at.anEndpoint(await at.aCustomer());
    await expect(at.prisma.$executeRawUnsafe(statement)).rejects.toThrow('audit_log is append-only');
    expect(await linesOf(id)).toHaveLength(1);
  },
);

test('an actor is a key exactly when it names one', async () => {
  const line = { action: 'endpoint.changed', subjectType: 'endpoint', subjectId: randomUUID() };
  for (const wrong of [{ actor: 'api_key' as const }, { actor: 'driftwire' as const, actorKeyId: randomUUID() }]) {
    await expect(at.prisma.auditLine.create({ data: { ...line, ...wrong } })).rejects.toThrow('audit_log_actor_key');
  }
});

test('of ten receivers that say 410 for one version, one is on record', async () => {
  const { id, customerId, version } = await at.anEndpoint(await at.aCustomer());
  const ended = await Promise.all(Array.from({ length: 10 }, () => deactivateGoneEndpoint(at.prisma, { id, version })));
  expect(ended.filter(Boolean)).toHaveLength(1);
  const [, ...lines] = await linesOf(id);
  expect(lines).toMatchObject([{ ...DRIFTWIRE, customerId, action: 'endpoint.deactivated', subjectType: 'endpoint' }]);
});

test('a retry is on record when it happens, and only then', async () => {
  const actor: Actor = { actor: 'api_key', actorKeyId: randomUUID(), requestId: randomUUID() };
  const { id, customerId } = await at.aDelivery();
  expect(await retryFinishedDelivery(at.prisma, { id }, actor)).toBeNull();
  expect(await linesOf(id)).toEqual([]);
  await at.prisma.delivery.update({
    where: { id },
    data: {
      ...{ status: 'failed', failureReason: 'exhausted', completedAt: new Date() },
      ...{ recoverAt: null, nextAttemptAt: null },
    },
  });
  expect(await retryFinishedDelivery(at.prisma, { id }, actor)).toMatchObject({ id, status: 'pending' });
  expect(await linesOf(id)).toMatchObject([{ ...actor, customerId, action: 'delivery.retried' }]);
});
