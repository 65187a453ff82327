import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DRIFTWIRE, deactivateGoneEndpoint, insertEndpoint, isUniqueViolation } from '../src/index.js';
import { type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const anEndpoint = async () => at.anEndpoint(await at.aCustomer());
const read = (id: string) => at.prisma.endpoint.findUniqueOrThrow({ where: { id } });

test('a 410 deactivates the version that was claimed, once', async () => {
  const { id, version } = await anEndpoint();
  expect(await deactivateGoneEndpoint(at.prisma, { id, version })).toBe(true);
  expect(await read(id)).toMatchObject({ active: false, inactiveReason: 'gone', version: version + 1 });
  expect(await deactivateGoneEndpoint(at.prisma, { id, version })).toBe(false);
  expect(await deactivateGoneEndpoint(at.prisma, { id, version: version + 1 })).toBe(false);
});

test('a 410 to an old version says nothing about the new one', async () => {
  const { id, version } = await anEndpoint();
  await at.prisma.endpoint.update({ where: { id }, data: { url: 'https://new.example', version: version + 1 } });
  expect(await deactivateGoneEndpoint(at.prisma, { id, version })).toBe(false);
  expect((await read(id)).active).toBe(true);
});

test('an inactive endpoint without a reason, or a deleted one with a secret, cannot be stored', async () => {
  const { id } = await anEndpoint();
  const update = (data: object) => at.prisma.endpoint.update({ where: { id }, data });
  await expect(update({ active: false })).rejects.toThrow(/endpoints_inactive_has_reason/);
  await expect(update({ deletedAt: new Date() })).rejects.toThrow(/endpoints_deleted_has_no_secret/);
});

test('the limit holds for creates at the same moment, and deleted endpoints do not count', async () => {
  const first = await anEndpoint();
  const insert = (n: number) => {
    const copy = { ...first, id: first.id.replace(/.{4}$/, `${1000 + n}`), name: `${n}` };
    return insertEndpoint(at.prisma, copy, { actor: DRIFTWIRE, limit: 3 });
  };
  const inserted = await Promise.all(Array.from({ length: 9 }, (_, n) => insert(n)));
  expect(inserted.filter((endpoint) => endpoint !== null)).toHaveLength(2);
  const remove = { deletedAt: new Date(), secretSealed: null };
  await at.prisma.endpoint.update({ where: { id: first.id }, data: remove });
  expect(await insert(50)).toMatchObject({ name: '50', version: 1 });
});

test('a name that is taken is a unique violation of that name', async () => {
  const endpoint = await anEndpoint();
  const twin = { ...endpoint, id: endpoint.id.replace(/.{4}$/, '0000') };
  const error: unknown = await insertEndpoint(at.prisma, twin, { actor: DRIFTWIRE, limit: 9 }).catch(
    (thrown: unknown) => thrown,
  );
  expect(isUniqueViolation(error, 'endpoints_customer_id_name_live_key')).toBe(true);
});
