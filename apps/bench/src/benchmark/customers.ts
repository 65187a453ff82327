import type { Call } from './load.js';

export type Customer = { customerId: string; endpointId: string };

const ADDED_AT_ONCE = 50;

/** Each with an endpoint at its URL. */
export async function addCustomers(call: Call, urls: readonly string[]): Promise<Customer[]> {
  const create = async (path: string, body: object) => ((await call('POST', path, body)) as { id: string }).id;
  const add = async (url: string, index: number) => {
    const customerId = await create('/v1/customers', { name: `customer ${index + 1}` });
    return {
      customerId,
      endpointId: await create('/v1/endpoints', { customer_id: customerId, name: 'receiver', url }),
    };
  };
  const customers: Customer[] = [];
  for (let start = 0; start < urls.length; start += ADDED_AT_ONCE)
    customers.push(...(await Promise.all(urls.slice(start, start + ADDED_AT_ONCE).map(add))));
  return customers;
}
