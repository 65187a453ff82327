import { type Claim, type Sealer, UnsealError } from '@driftwire/database';
import { z } from 'zod';

/** `secrets` newest first; the second only while a rotation's overlap lasts. */
export type EndpointSecrets = {
  secrets: readonly [string, ...string[]];
  customHeaders: Readonly<Record<string, string>>;
};

type Opened = { current: string; previous: string | null; customHeaders: Record<string, string> };

const CACHED_ENDPOINTS = 10_000;
const headersSchema = z.record(z.string(), z.string());

/**
 * Opens what an endpoint's row keeps sealed, once per (id, version): a version never changes what it seals, so nothing
 * is ever invalidated. Null when it cannot be opened.
 */
export function createEndpointOpener(sealer: Sealer): (claim: Claim) => EndpointSecrets | null {
  const cache = new Map<string, Opened>();

  return (claim) => {
    const key = `${claim.endpoint.id}/${claim.endpoint.version}`;
    const opened = cache.get(key) ?? open(sealer, claim);
    if (opened === null) return null;
    if (cache.size >= CACHED_ENDPOINTS) cache.clear();
    cache.set(key, opened);
    return secretsInForce(claim, opened);
  };
}

/** Whether the overlap still lasts is the claim's to say, by the database's clock. */
function secretsInForce({ endpoint }: Claim, { current, previous, customHeaders }: Opened): EndpointSecrets {
  const overlaps = endpoint.previousSecretSealed !== null && previous !== null;
  return { secrets: overlaps ? [current, previous] : [current], customHeaders };
}

function open(sealer: Sealer, { customerId, endpoint }: Claim): Opened | null {
  const binding = { customerId, endpointId: endpoint.id };
  const secret = (sealed: string) => sealer.open(sealed, { ...binding, purpose: 'secret' });
  try {
    return {
      current: secret(endpoint.secretSealed),
      previous: endpoint.previousSecretSealed === null ? null : secret(endpoint.previousSecretSealed),
      customHeaders:
        endpoint.headersSealed === null
          ? {}
          : headersSchema.parse(JSON.parse(sealer.open(endpoint.headersSealed, { ...binding, purpose: 'headers' }))),
    };
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}
