import { type Claim, createSealer, type Sealer, sealHeaders, sealSecret } from '@driftwire/database';
import { expect, test } from '@jest/globals';
import { createEndpointOpener } from './opened-endpoints.js';

const KEY = { id: 'k1', key: Buffer.alloc(32, 1) };
const OWNER = { customerId: 'customer-1', endpointId: 'endpoint-1' };

test('a version of an endpoint is opened once, the next version again', () => {
  const { sealer, opened } = countingSealer();
  const open = createEndpointOpener(sealer);
  const claim = aClaim(sealer);
  expect(open(claim)).toEqual({ secrets: ['whsec_new'], customHeaders: { 'x-team': 'drift' } });
  expect(open(claim)).toBe(open(claim));
  expect(opened()).toBe(2);
  open({ ...claim, endpoint: { ...claim.endpoint, version: 2 } });
  expect(opened()).toBe(4);
});

test('the older secret is used while the overlap lasts and not after, within one version', () => {
  const { sealer } = countingSealer();
  const open = createEndpointOpener(sealer);
  const claim = aClaim(sealer);
  const overlapping = {
    ...claim,
    endpoint: { ...claim.endpoint, previousSecretSealed: sealSecret(sealer, OWNER, 'whsec_old') },
  };
  expect(open(overlapping)?.secrets).toEqual(['whsec_new', 'whsec_old']);
  expect(open(claim)?.secrets).toEqual(['whsec_new']);
  expect(open(overlapping)?.secrets).toEqual(['whsec_new', 'whsec_old']);
});

test.each<[string, Partial<Claim>, Sealer]>([
  ['of another endpoint', { endpoint: { ...aClaim().endpoint, id: 'endpoint-2' } }, createSealer([KEY])],
  ['of another customer', { customerId: 'customer-2' }, createSealer([KEY])],
  ['under a key that is gone', {}, createSealer([{ id: 'k2', key: Buffer.alloc(32, 2) }])],
  ['under another key of the same id', {}, createSealer([{ id: 'k1', key: Buffer.alloc(32, 2) }])],
])('a secret sealed %s is not opened, and asked for again the next time', (_, change, sealer) => {
  const open = createEndpointOpener(sealer);
  const claim = { ...aClaim(), ...change };
  expect(open(claim)).toBeNull();
  expect(open(claim)).toBeNull();
});

function aClaim(sealer: Sealer = createSealer([KEY])): Claim {
  return {
    deliveryId: 'delivery-1',
    customerId: OWNER.customerId,
    eventId: 'event-1',
    eventType: 'drift.created',
    body: '{}',
    fence: 1,
    round: 1,
    failedCount: 0,
    maxAttempts: 3,
    isProbe: false,
    isCrowded: false,
    claimedAtMs: 0,
    endpoint: {
      id: OWNER.endpointId,
      version: 1,
      url: 'https://receiver.example',
      secretSealed: sealSecret(sealer, OWNER, 'whsec_new'),
      previousSecretSealed: null,
      headersSealed: sealHeaders(sealer, OWNER, { 'x-team': 'drift' }).headersSealed,
    },
  };
}

function countingSealer() {
  const real = createSealer([KEY]);
  let count = 0;
  const sealer: Sealer = {
    ...real,
    open: (sealed, binding) => {
      count += 1;
      return real.open(sealed, binding);
    },
  };
  return { sealer, opened: () => count };
}
