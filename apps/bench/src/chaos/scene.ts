import type { ChaosApi } from './chaos-api.js';
import { LIMITS } from './endpoints.js';
import type { ReceiverEndpoint } from './receivers.js';

/** The one customer of the run, with an endpoint for each receiver. */
export type Scene = { customerId: string; endpointIds: Map<string, string> };

export async function setScene(api: ChaosApi, endpoints: readonly ReceiverEndpoint[]): Promise<Scene> {
  const customerId = await api.create('v1/customers', { name: 'Chaos' });
  const endpointIds = new Map<string, string>();
  for (const { name, url, subscribesTo } of endpoints) {
    const endpoint = { customer_id: customerId, name, url, event_types: subscribesTo, ...LIMITS[name] };
    endpointIds.set(name, await api.create('v1/endpoints', endpoint));
  }
  return { customerId, endpointIds };
}
