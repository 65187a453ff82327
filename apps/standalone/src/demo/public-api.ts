import { setMaxListeners } from 'node:events';
import got, { HTTPError } from 'got';

/** What the demo reads of the API's answers. */
export type AcceptedEvent = { id: string; request_id: string; deliveries: { id: string; endpoint_id: string }[] };
export type Delivery = {
  id: string;
  event_id: string;
  endpoint_id: string;
  status: 'pending' | 'retrying' | 'success' | 'failed' | 'cancelled';
  failure_reason: string | null;
  attempt_count: number;
  created_at: string;
  completed_at: string | null;
};
export type DeliveryWithAttempts = Delivery & {
  attempts: { number: number; outcome: string; response_code: number | null }[];
};

type Page = { data: Delivery[]; next_cursor: string | null };

export type PublicApi = ReturnType<typeof openPublicApi>;

/** The calls a customer's own program would make, over HTTP like everybody's. */
export function openPublicApi({ url, key, signal }: { url: string; key: string; signal: AbortSignal }) {
  const ours = AbortSignal.any([signal]);
  // One listener per request under way is no leak.
  setMaxListeners(0, ours);
  const http = got.extend({
    prefixUrl: url,
    headers: { authorization: `Bearer ${key}` },
    timeout: { request: 10_000 },
    retry: { limit: 0 },
    signal: ours,
    hooks: { beforeError: [sayWhatTheApiSaid] },
  });
  const post = <Answer>(path: string, json: object) => http.post(path, { json }).json<Answer>();
  return {
    createCustomer: (name: string) => post<{ id: string }>('v1/customers', { name }),
    createEndpoint: (endpoint: object) => post<{ id: string; secret: string }>('v1/endpoints', endpoint),
    postEvent: (event: object) => post<AcceptedEvent>('v1/drift-events', event),
    postBatch: async (batch: { customer_id: string; events: object[] }) =>
      (await post<{ results: AcceptedEvent[] }>('v1/drift-events/batch', batch)).results,
    readDelivery: (id: string) => http.get(`v1/deliveries/${id}`).json<DeliveryWithAttempts>(),
    async listDeliveries(customerId: string): Promise<Delivery[]> {
      const found: Delivery[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const searchParams = { customer_id: customerId, limit: 200, ...(cursor === '' ? {} : { cursor }) };
        const page: Page = await http.get('v1/deliveries', { searchParams }).json<Page>();
        found.push(...page.data);
        cursor = page.next_cursor;
      }
      return found;
    },
  };
}

function sayWhatTheApiSaid<E extends Error>(error: E): E {
  if (error instanceof HTTPError) error.message += `: ${error.response.body}`;
  return error;
}
