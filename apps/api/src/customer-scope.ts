import type { Caller } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { invalid, notFound } from './problem.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type CustomerDeps = Pick<ApiDeps, 'findCustomer'>;

/** What every query of a caller is limited to. */
export type CustomerScope = { customerId?: string };

export function scopeOf({ customerId }: Caller): CustomerScope {
  return customerId === null ? {} : { customerId };
}

/** A path's id, or the 404 it deserves: what is no id names nothing. */
export function pathId(id: string, thing: string): string {
  if (!UUID.test(id)) throw notFound(thing);
  return id.toLowerCase();
}

/**
 * A customer key may name its own customer or none; another one does not exist for it. Looked at before the query is
 * validated, because 404 comes before 400; what is no id at all is left to the validation.
 */
export function scopeOfQuery(caller: Caller, query: unknown): CustomerScope {
  const named = customerIdOf(query);
  if (typeof named !== 'string' || !UUID.test(named)) return scopeOf(caller);
  const customerId = named.toLowerCase();
  if (caller.customerId !== null && caller.customerId !== customerId) throw notFound('customer');
  return { customerId };
}

/** The customer a create is for: the key's own, or the one a platform key names. Anything else is 404, `null` is 400. */
export async function customerForCreate(deps: CustomerDeps, caller: Caller, body: unknown): Promise<string> {
  const customerId = await namedCustomer(deps, caller, body);
  if (customerId === null) {
    throw invalid([{ pointer: '/customer_id', detail: 'is required with a platform key: name the customer' }]);
  }
  return customerId;
}

/** The same where a platform key may leave the customer out; then null. */
export async function namedCustomer(deps: CustomerDeps, caller: Caller, body: unknown): Promise<string | null> {
  const named = customerIdOf(body);
  if (named === undefined) return caller.customerId;
  if (typeof named !== 'string') throw invalid([{ pointer: '/customer_id', detail: 'must be the id of a customer' }]);
  if (caller.customerId !== null) {
    if (named.toLowerCase() !== caller.customerId) throw notFound('customer');
    return caller.customerId;
  }
  const customerId = await deps.findCustomer(pathId(named, 'customer'));
  if (customerId === null) throw notFound('customer');
  return customerId;
}

function customerIdOf(bodyOrQuery: unknown): unknown {
  const isObject = typeof bodyOrQuery === 'object' && bodyOrQuery !== null;
  return isObject && 'customer_id' in bodyOrQuery ? bodyOrQuery.customer_id : undefined;
}
