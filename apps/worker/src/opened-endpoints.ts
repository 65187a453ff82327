import { type Claim, type EndpointSecrets, openSecrets, type Sealer, UnsealError } from '@driftwire/database';

const CACHED_ENDPOINTS = 10_000;

/**
 * Opens what an endpoint's row keeps sealed, once per (id, version): a version never changes what it seals, so nothing
 * is ever invalidated. Null when it cannot be opened.
 */
export function createEndpointOpener(sealer: Sealer): (claim: Claim) => EndpointSecrets | null {
  const cache = new Map<string, EndpointSecrets>();

  return (claim) => {
    const { id, version, previousSecretSealed } = claim.endpoint;
    const key = `${id}/${version}/${previousSecretSealed === null ? 'alone' : 'overlapping'}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const opened = open(sealer, claim);
    if (opened === null) return null;
    if (cache.size >= CACHED_ENDPOINTS) cache.clear();
    cache.set(key, opened);
    return opened;
  };
}

function open(sealer: Sealer, { customerId, endpoint }: Claim): EndpointSecrets | null {
  try {
    return openSecrets(sealer, { customerId, endpointId: endpoint.id }, endpoint);
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}
