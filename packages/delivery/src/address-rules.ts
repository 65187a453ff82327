import { type BlockList, isIP } from 'node:net';
import { isInside, isPublicAddress } from './public-address.js';

export type AddressPolicy = {
  /** For development: http, private addresses and names, any port. */
  allowPrivate: boolean;
  ports: readonly number[];
  /**
   * Addresses that an operator has opened besides the public ones, and nothing else: https and the ports stay as they are.
   * Names of private networks may be used then, for what they resolve to is judged as every name's is.
   */
  opened?: BlockList | undefined;
};

export const defaultPorts: readonly number[] = [443, 8443];

const MAX_LENGTH = 2048;
/** A URL parser drops or reinterprets these, so the text a person reviewed would not be the URL that is called. */
const MISLEADING = /[\s\\\p{Cc}\p{Cf}]/u;
/** `https:host` and `https:///host` parse, but nobody means them. */
const ABSOLUTE = /^[a-z]+:\/\/[^/]/i;
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/;
/** RFC 6761 and 8375, and the names that RFC 6762 (appendix G) and ICANN saw used for private networks. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/**
 * Why an endpoint may not have this URL, as a sentence; null if it may, as far as can be judged without DNS. What
 * counts is the parsed host: `0x7f.1`, `2130706433` and full-width digits are all 127.0.0.1. The addresses behind a
 * name are judged at every attempt, when it connects.
 */
export function urlProblem(url: string, policy: AddressPolicy): string | null {
  if (url.length > MAX_LENGTH) return `The URL must have at most ${MAX_LENGTH} characters.`;
  if (MISLEADING.test(url)) return 'The URL must not contain spaces, backslashes, control or invisible characters.';
  if (!ABSOLUTE.test(url) || !URL.canParse(url)) return 'The URL cannot be parsed.';
  const parsed = new URL(url);
  return (
    schemeProblem(parsed, policy) ?? partsProblem(parsed) ?? portProblem(parsed, policy) ?? hostProblem(parsed, policy)
  );
}

function schemeProblem({ protocol }: URL, { allowPrivate }: AddressPolicy): string | null {
  if (protocol === 'https:' || (protocol === 'http:' && allowPrivate)) return null;
  return allowPrivate ? 'The URL must start with https:// or http://.' : 'The URL must start with https://.';
}

function partsProblem({ username, password, hash }: URL): string | null {
  if (username !== '' || password !== '') return 'The URL must not contain a user name or password: use a header.';
  if (hash !== '') return 'The URL must not contain a fragment: it would never be sent.';
  return null;
}

function portProblem(url: URL, { allowPrivate, ports }: AddressPolicy): string | null {
  if (allowPrivate || ports.includes(portOf(url))) return null;
  return `The URL's port must be one of ${ports.join(', ')}.`;
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function hostProblem({ hostname }: URL, policy: AddressPolicy): string | null {
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
  if (isIP(host) !== 0) return isAllowedAddress(host, policy) ? null : `The address ${host} is not a public one.`;
  if (!HOST_NAME.test(host)) return "The URL's host is not a valid name.";
  if (policy.allowPrivate || policy.opened !== undefined) return null;
  if (!host.includes('.')) return "The URL's host must be a full domain name.";
  return PRIVATE_NAME.test(host) ? 'The URL names a host on a private network.' : null;
}

/** Whether a webhook may be sent to this address: the one judgement of it, of literals and of what names resolve to. */
export function isAllowedAddress(ip: string, { allowPrivate, opened }: AddressPolicy): boolean {
  return allowPrivate || isPublicAddress(ip) || (opened !== undefined && isInside(opened, ip));
}
