import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type AddressPolicy, isAllowedAddress } from '@driftwire/delivery';

/** The shape of `dns.lookup` when asked for all answers. */
export type ResolveAll = (
  hostname: string,
  options: { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const BLOCKED = 'ERR_DRIFTWIRE_BLOCKED';

/**
 * A `lookup` for sockets: the addresses it lets through are the ones that are connected to, so there is no moment
 * between the check and the use in which a name could change its mind. One address that is not public refuses the
 * whole set, because Node may connect to any member. Never called for a host that is an IP literal.
 */
export function guardedLookup(resolve: ResolveAll, policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const refusal = error ?? refusalOf(hostname, addresses, policy);
      if (refusal !== null) return callback(refusal, []);
      if (options.all) return callback(null, addresses);
      return callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

/** The answer itself is not repeated: a customer must not learn how names resolve inside the operator's network. */
function refusalOf(hostname: string, addresses: LookupAddress[], policy: AddressPolicy): Error | null {
  if (addresses.length === 0) return codedError('ENODATA', `${hostname} has no address`);
  if (addresses.every(({ address }) => isAllowedAddress(address, policy))) return null;
  return codedError(BLOCKED, `${hostname} resolves to an address that is not a public one`);
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
