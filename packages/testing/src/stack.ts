import { type ApiAnswer, type ApiClient, apiClient } from './api-client.js';
import { aDriftEvent } from './builders.js';
import { type FreshDatabase, freshDatabase } from './fresh-database.js';
import { type FreshRedis, freshRedis } from './fresh-redis.js';
import { type ProcessOptions, startApi, startWorker, type TestProcess } from './processes.js';
import { type Receiver, startReceiver } from './receiver.js';
import { until } from './until.js';

export type Stack = {
  api: ApiClient;
  database: FreshDatabase;
  redis: FreshRedis;
  apis: TestProcess[];
  workers: TestProcess[];
  receiver: Receiver;
  /** A customer with an endpoint at the receiver. */
  customerWithEndpoint: (
    endpoint?: Record<string, unknown>,
  ) => Promise<{ customerId: string; endpoint: ApiAnswer['body'] }>;
  /** Posts an event and answers the ids of its deliveries. */
  postEvent: (customerId: string, overrides?: Record<string, unknown>) => Promise<ApiAnswer['body']>;
  /** The delivery, once it has this status. */
  deliveryIn: (status: string, deliveryId: string, patience?: { deadlineMs: number }) => Promise<ApiAnswer['body']>;
  close: () => Promise<void>;
};

export type StackOptions = {
  apis?: number;
  workers?: number;
  env?: Record<string, string>;
  /** Instead of the shared server: a Redis that the test takes away. */
  redisUrl?: string;
};

/** The real thing: API and workers as processes, their own database and Redis, one receiver. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const [database, redis, receiver] = await Promise.all([freshDatabase(), freshRedis(), startReceiver()]);
  const { env = {}, redisUrl = redis.url } = options;
  const processOptions: ProcessOptions = { databaseUrl: database.url, redisUrl, env };
  const start = (count: number, one: (options: ProcessOptions) => Promise<TestProcess>) =>
    Promise.all(Array.from({ length: count }, () => one(processOptions)));
  const [apis, workers] = await Promise.all([
    start(options.apis ?? 1, startApi),
    start(options.workers ?? 1, startWorker),
  ]);
  const api = apiClient(apis[0]?.url ?? '');

  return {
    api,
    database,
    redis,
    apis,
    workers,
    receiver,
    async customerWithEndpoint(endpoint = {}) {
      const customer = await api.post('/v1/customers', { name: 'Acme' });
      if (customer.status !== 201) throw new Error(`no customer: ${customer.text}`);
      const body = { customer_id: customer.body.id, name: 'receiver', url: receiver.url, ...endpoint };
      const created = await api.post('/v1/endpoints', body);
      if (created.status !== 201) throw new Error(`no endpoint: ${created.text}`);
      return { customerId: customer.body.id, endpoint: created.body };
    },
    async postEvent(customerId, overrides = {}) {
      const accepted = await api.post('/v1/drift-events', aDriftEvent({ customer_id: customerId, ...overrides }));
      if (accepted.status !== 202) throw new Error(`not accepted: ${accepted.text}`);
      return accepted.body;
    },
    deliveryIn: (status, deliveryId, patience) =>
      until(async () => {
        const { body } = await api.get(`/v1/deliveries/${deliveryId}`);
        return body.status === status && body;
      }, patience),
    async close() {
      await Promise.all([...apis, ...workers].map((process) => process.stop()));
      await receiver.close();
      await Promise.all([redis.close(), database.drop()]);
    },
  };
}
