import { Agent, request } from 'node:http';

/** An event that was accepted. Times are of this process's monotonic clock. */
export type Posted = { eventId: string; postedAt: number; acceptedAt: number; deliveries: number };

export type Api = { url: string; key: string };

/** One request to the API, over connections that are kept; rejects unless the answer is a 2xx. */
export type Call = (method: 'POST' | 'GET' | 'PATCH' | 'DELETE', path: string, body?: object) => Promise<unknown>;

export function openApi({ url, key }: Api): Call {
  const agent = new Agent({ keepAlive: true });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const outgoing = request(new URL(path, url), { method, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode = 0 } = response;
          if (statusCode < 200 || statusCode >= 300) {
            return reject(new Error(`${method} ${path} was answered ${statusCode}: ${text.slice(0, 500)}`));
          }
          try {
            resolve(parseBody(text));
          } catch (error) {
            reject(new Error(`${method} ${path} was answered with what is no JSON`, { cause: error }));
          }
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

function parseBody(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}

/** A drift event as producers send them, about 400 bytes. */
export function aDriftEvent(n: number) {
  return {
    event_type: 'drift.detected',
    data: {
      drift_type: 'DENIAL_RATE',
      severity: 0.8,
      confidence: 0.95,
      payer: 'Benchmark Health Plan',
      cpt_group: 'IMAGING',
      baseline_value: 0.12,
      current_value: 0.31,
      sample_size: 1_250,
      window: { from: '2026-11-01T00:00:00Z', to: '2026-11-08T00:00:00Z' },
      n,
    },
  };
}

export type Flood = {
  customerId: string;
  events: number;
  /** Events in one request. */
  perRequest: number;
  requestsAtOnce: number;
};

/**
 * Posts as fast as the API accepts: as many requests at once as told, each of the next ones when one is answered. With one
 * event a request they go as single events and not as batches of one.
 */
export async function flood(call: Call, { customerId, events, perRequest, requestsAtOnce }: Flood): Promise<Posted[]> {
  const posted: Posted[] = [];
  let next = 0;
  const post = async () => {
    while (next < events) {
      const numbers = Array.from({ length: Math.min(perRequest, events - next) }, (_, index) => next + index);
      next += numbers.length;
      posted.push(...(await (perRequest === 1 ? postSingles : postBatch)(call, customerId, numbers)));
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, post));
  return posted;
}

type Accepted = { id: string; deliveries: unknown[] };

/** One event; rejects unless it is accepted. */
export async function postOne(call: Call, customerId: string, number: number): Promise<Posted> {
  const postedAt = performance.now();
  const event = { customer_id: customerId, ...aDriftEvent(number) };
  const { id, deliveries } = (await call('POST', '/v1/drift-events', event)) as Accepted;
  return { eventId: id, postedAt, acceptedAt: performance.now(), deliveries: deliveries.length };
}

function postSingles(call: Call, customerId: string, numbers: readonly number[]): Promise<Posted[]> {
  return Promise.all(numbers.map((number) => postOne(call, customerId, number)));
}

async function postBatch(call: Call, customerId: string, numbers: readonly number[]): Promise<Posted[]> {
  const postedAt = performance.now();
  const body = { customer_id: customerId, events: numbers.map(aDriftEvent) };
  const { results } = (await call('POST', '/v1/drift-events/batch', body)) as { results: Accepted[] };
  const acceptedAt = performance.now();
  return results.map(({ id, deliveries }) => ({ eventId: id, postedAt, acceptedAt, deliveries: deliveries.length }));
}
