import type { Sealer } from './seal.js';

/** What an attempt is signed with and carries. `secrets` newest first: the second only while a rotation's overlap lasts. */
export type EndpointSecrets = {
  secrets: readonly [string, ...string[]];
  customHeaders: Readonly<Record<string, string>>;
};

export type EndpointOwner = { customerId: string; endpointId: string };

/** An endpoint's sealed columns. `previousSecretSealed` is null once its overlap has ended: the caller asks the clock. */
export type SealedSecrets = {
  secretSealed: string;
  previousSecretSealed: string | null;
  headersSealed: string | null;
};

export function sealSecret(sealer: Sealer, owner: EndpointOwner, secret: string): string {
  return sealer.seal(secret, { ...owner, purpose: 'secret' });
}

/** Names stay readable, to be shown; names and values together are sealed, to be sent. */
export function sealHeaders(sealer: Sealer, owner: EndpointOwner, headers: Record<string, string>) {
  const headerNames = Object.keys(headers);
  if (headerNames.length === 0) return { headerNames, headersSealed: null };
  return { headerNames, headersSealed: sealer.seal(JSON.stringify(headers), { ...owner, purpose: 'headers' }) };
}

/** Throws `UnsealError` when a value cannot be opened: then nothing may be sent. */
export function openSecrets(sealer: Sealer, owner: EndpointOwner, sealed: SealedSecrets): EndpointSecrets {
  const current = sealer.open(sealed.secretSealed, { ...owner, purpose: 'secret' });
  const { previousSecretSealed, headersSealed } = sealed;
  const previous =
    previousSecretSealed === null ? [] : [sealer.open(previousSecretSealed, { ...owner, purpose: 'secret' })];
  // Authenticated by the seal, so it is what `sealHeaders` wrote.
  const customHeaders: Record<string, string> =
    headersSealed === null ? {} : JSON.parse(sealer.open(headersSealed, { ...owner, purpose: 'headers' }));
  return { secrets: [current, ...previous], customHeaders };
}
