import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { AddressPolicy } from '@driftwire/delivery';
import { BLOCKED, guardedLookup, type ResolveAll } from './guarded-lookup.js';

export type NameCheckOptions = {
  addressPolicy: AddressPolicy;
  /** A resolver that takes longer has no say. */
  withinMs: number;
  lookup?: ResolveAll;
};

/**
 * Resolves the host of an acceptable URL once, and says what is wrong with it when it is an address that nothing is sent
 * to; null otherwise. For a person who is typing it in: a name that does not resolve today may tomorrow, and whatever it resolves to is
 * judged again at every attempt.
 */
export function createNameCheck(options: NameCheckOptions): (url: string) => Promise<string | null> {
  const { addressPolicy, withinMs, lookup = systemLookup } = options;
  const guarded = guardedLookup(lookup, addressPolicy);

  return async (url) => {
    const { hostname } = new URL(url);
    if (addressPolicy.allowPrivate || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return null;
    return new Promise((resolve) => {
      const tooLate = setTimeout(resolve, withinMs, null);
      guarded(hostname, { all: true }, (error) => {
        clearTimeout(tooLate);
        resolve(error?.code === BLOCKED ? 'The URL names a host whose address is not a public one.' : null);
      });
    });
  };
}
