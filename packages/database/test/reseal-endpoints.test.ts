import { randomBytes, randomUUID } from 'node:crypto';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import {
  countStale,
  createSealer,
  type Endpoint,
  openSecrets,
  resealEndpoints,
  type Sealer,
  sealHeaders,
  sealSecret,
} from '../src/index.js';
import { type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
beforeEach(async () => {
  await at.prisma.endpoint.updateMany({ data: { deletedAt: new Date(), secretSealed: null, headersSealed: null } });
});
afterAll(() => at.close());

const [oldKey, newKey] = ['old', 'new'].map((id) => ({ id, key: randomBytes(32) })) as [Key, Key];
type Key = { id: string; key: Buffer };
const before = createSealer([oldKey]);
const during = createSealer([newKey, oldKey]);
const after = createSealer([newKey]);

test('everything is opened with the new key alone afterwards, and is what it was, in the same version', async () => {
  const made = await Promise.all(Array.from({ length: 7 }, (_, n) => anEndpoint(before, { rotated: n % 2 === 0 })));
  expect(await countStale(at.prisma, during)).toBe(7);
  expect(await resealAll(during)).toEqual([3, 3, 1, 0]);
  expect(await countStale(at.prisma, during)).toBe(0);
  for (const { id, secret } of made) {
    const endpoint = await at.prisma.endpoint.findUniqueOrThrow({ where: { id } });
    expect(endpoint.version).toBe(1);
    expect(openAll(after, endpoint)).toEqual(secret);
  }
});

test('what the new key has sealed is not written again', async () => {
  const { id } = await anEndpoint(during, {});
  const { secretSealed } = await at.prisma.endpoint.findUniqueOrThrow({ where: { id } });
  expect(await resealAll(during)).toEqual([0]);
  expect((await at.prisma.endpoint.findUniqueOrThrow({ where: { id } })).secretSealed).toBe(secretSealed);
});

test('an endpoint that no key opens is named and left, and the others go on', async () => {
  const foreign = await anEndpoint(createSealer([{ id: 'lost', key: randomBytes(32) }]), {});
  await anEndpoint(before, {});
  expect(await resealEndpoints(at.prisma, during, { afterId: null, limit: 10 })).toMatchObject({
    resealed: 1,
    unreadable: [foreign.id],
  });
  expect(await countStale(at.prisma, during)).toBe(1);
});

test('a secret that is rotated while it is being sealed stays the rotated one', async () => {
  const { id, customerId } = await anEndpoint(before, {});
  const rotated = sealSecret(before, { customerId, endpointId: id }, 'whsec_rotated');
  const rotation = new pg.Client({ connectionString: at.url });
  await rotation.connect();
  await rotation.query('BEGIN');
  await rotation.query('UPDATE endpoints SET secret_sealed = $2 WHERE id = $1', [id, rotated]);
  const resealing = resealEndpoints(at.prisma, during, { afterId: null, limit: 10 });
  await until(async () => (await at.waiting()) === 1);
  await rotation.query('COMMIT');
  await rotation.end();
  expect((await resealing).resealed).toBe(0);
  expect((await at.prisma.endpoint.findUniqueOrThrow({ where: { id } })).secretSealed).toBe(rotated);
});

/** Batch by batch, as `npm run rotate-keys` does; answers how many each one sealed. */
async function resealAll(sealer: Sealer): Promise<number[]> {
  const counts: number[] = [];
  for (let afterId: string | null = null; ; ) {
    const batch = await resealEndpoints(at.prisma, sealer, { afterId, limit: 3 });
    counts.push(batch.resealed);
    if (batch.lastId === null) return counts;
    afterId = batch.lastId;
  }
}

/** With a secret, custom headers and, when it was rotated, the secret before. */
async function anEndpoint(sealer: Sealer, { rotated = false }: { rotated?: boolean }) {
  const customerId = await at.aCustomer();
  const id = randomUUID();
  const owner = { customerId, endpointId: id };
  const secret = { secrets: [`whsec_${id}`, ...(rotated ? ['whsec_before'] : [])], customHeaders: { 'X-Team': id } };
  const sealed = {
    secretSealed: sealSecret(sealer, owner, `whsec_${id}`),
    ...sealHeaders(sealer, owner, secret.customHeaders),
  };
  await at.anEndpoint(customerId, { id, ...sealed });
  if (rotated) {
    const previousSecretSealed = sealSecret(sealer, owner, 'whsec_before');
    const data = { previousSecretSealed, previousSecretExpiresAt: new Date(Date.now() + 60_000) };
    await at.prisma.endpoint.update({ where: { id }, data });
  }
  return { id, customerId, secret };
}

function openAll(sealer: Sealer, { id, customerId, secretSealed, previousSecretSealed, headersSealed }: Endpoint) {
  const sealed = { secretSealed: secretSealed ?? '', previousSecretSealed, headersSealed };
  return openSecrets(sealer, { customerId, endpointId: id }, sealed);
}
