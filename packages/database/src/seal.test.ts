import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createSealer, type SealBinding, UnsealError } from './seal.js';

const first = { id: 'k1', key: randomBytes(32) };
const second = { id: 'k2', key: randomBytes(32) };
const binding: SealBinding = { customerId: 'c', endpointId: 'e', purpose: 'secret' };

test('what was sealed opens again, and never seals to the same text twice', () => {
  const sealer = createSealer([first]);
  const sealed = sealer.seal('whsec_ü', binding);
  expect(sealer.open(sealed, binding)).toBe('whsec_ü');
  expect(sealed).not.toContain('whsec');
  expect(sealer.seal('whsec_ü', binding)).not.toBe(sealed);
});

test('a new first key seals, the old one still opens', () => {
  const old = createSealer([first]).seal('text', binding);
  const rotated = createSealer([second, first]);
  expect(rotated.open(old, binding)).toBe('text');
  expect(rotated.seal('text', binding)).toMatch(/^k2:/);
});

test('a ciphertext moved to another customer, endpoint or purpose does not open', () => {
  const sealer = createSealer([first]);
  const sealed = sealer.seal('text', binding);
  for (const moved of [{ customerId: 'x' }, { endpointId: 'x' }, { purpose: 'headers' as const }]) {
    expect(() => sealer.open(sealed, { ...binding, ...moved })).toThrow(UnsealError);
  }
});

test('a truncated, altered or foreign ciphertext does not open', () => {
  const sealer = createSealer([first]);
  const sealed = sealer.seal('text', binding);
  const altered = `k1:${Buffer.from(sealed.slice(3), 'base64').fill(1, 30, 31).toString('base64')}`;
  for (const bad of [sealed.slice(0, -4), altered, sealed.replace('k1', 'k9'), '', 'k1:', 'junk']) {
    expect(() => sealer.open(bad, binding)).toThrow(UnsealError);
  }
});
