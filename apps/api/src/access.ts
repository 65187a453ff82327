import { hash, timingSafeEqual } from 'node:crypto';
import type { Actor, ApiKey, Role } from '@driftwire/database';
import { parseApiKey } from './api-key.js';
import { Problem } from './problem.js';

/** Who is calling. A platform key has no customer and may name any; a customer key acts for its own only. */
export type Caller = { keyId: string | null; customerId: string | null; role: Role };

/** Who may call a route: anyone, platform keys, or these roles of a customer (a platform key's role is `admin`). */
export type Access = 'open' | 'platform' | readonly Role[];

/** Where the key has to be looked up, a Postgres that is away is waited for `until` then. */
export type Authenticate = (token: string | undefined, until: number) => Promise<Caller>;

/** The row of a key by its id, or null. */
export type FindApiKey = (id: string, until: number) => Promise<ApiKey | null>;

export type AuthenticateOptions = {
  findApiKey: FindApiKey;
  adminApiKey: string;
  onKeyUsed: (keyId: string) => void;
  /** By which keys expire; the database's clock. */
  now: () => Date;
};

/**
 * Finds the caller behind an API key, or throws the one 401 that does not say why: no, malformed,
 * unknown, wrong, revoked and expired keys cannot be told apart.
 */
export function createAuthenticate({ findApiKey, adminApiKey, onKeyUsed, now }: AuthenticateOptions): Authenticate {
  const adminHash = sha256(adminApiKey);

  return async (token, until) => {
    if (token === undefined) throw unauthorized();
    if (timingSafeEqual(sha256(token), adminHash)) return { keyId: null, customerId: null, role: 'admin' };
    const caller = await callerOfStoredKey({ findApiKey: (id) => findApiKey(id, until), now }, token);
    onKeyUsed(caller.keyId);
    return caller;
  };
}

async function callerOfStoredKey(
  { findApiKey, now }: { findApiKey: (id: string) => Promise<ApiKey | null>; now: () => Date },
  token: string,
): Promise<Caller & { keyId: string }> {
  const presented = parseApiKey(token);
  if (presented === null) throw unauthorized();
  const key = await findApiKey(presented.id);
  const expected = key?.secretHash ?? Buffer.alloc(32);
  const matches = timingSafeEqual(sha256(presented.secret), expected);
  const inForce = key !== null && key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now());
  if (!matches || !inForce) throw unauthorized();
  return { keyId: key.id, customerId: key.customerId, role: key.role };
}

/** Throws 403 unless the caller may use a route with this access. */
export function authorize(caller: Caller, access: Exclude<Access, 'open'>): void {
  const allowed = access === 'platform' ? caller.customerId === null : access.includes(caller.role);
  if (!allowed) throw new Problem('forbidden', `A ${caller.role} key of ${ownerOf(caller)} may not call this.`);
}

/** For the audit log. */
export function actorOf({ keyId }: Caller, requestId: string): Actor {
  return { actor: keyId === null ? 'environment_key' : 'api_key', actorKeyId: keyId, requestId };
}

function ownerOf({ customerId }: Caller): string {
  return customerId === null ? 'the platform' : 'a customer';
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** A browser can only ask for a user name and a password: the key is the password, the name does not matter. */
export function basicPassword(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return password;
}

function unauthorized(): Problem {
  return new Problem('unauthorized', 'Send "Authorization: Bearer <api key>" with a key that is in force.');
}
