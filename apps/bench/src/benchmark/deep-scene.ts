import { withSession } from '../stack/database-session.js';
import type { Bench } from './bench.js';
import { type Scene, setScene, untilAllRecorded, watchArrivals } from './driftwire-run.js';
import { aDriftEvent } from './load.js';
import { addPastDeliveries, type PastOwner, tidyTables } from './past-deliveries.js';

/** With what lists can be asked for beside the one customer that has nearly everything. */
export type DeepScene = Scene &
  PastOwner & {
    /** Of a customer that has three events, and of one that has none. */
    fewCustomerId: string;
    noCustomerId: string;
    noEndpointId: string;
  };

/** Filling and vacuuming take their time. */
export const PATIENCE = { queryTimeoutMs: 600_000 };

const FEW = 3;
const SAMPLES = 250;

export async function setDeepScene({ stack, receivers }: Bench): Promise<DeepScene> {
  const scene = await setScene(stack, receivers);
  const { call, customerId } = scene;
  const endpoints = (await call('GET', `/v1/endpoints?customer_id=${customerId}`)) as { data: { id: string }[] };
  const create = async (path: string, body: object) => ((await call('POST', path, body)) as { id: string }).id;
  const endpoint = (customer: string, name: string, types: string[]) =>
    create('/v1/endpoints', { customer_id: customer, name, url: receivers.urls[0], event_types: types });
  const fewCustomerId = await create('/v1/customers', { name: 'Few' });
  await endpoint(fewCustomerId, 'few', ['*']);
  const deep = {
    ...scene,
    endpointIds: endpoints.data.map(({ id }) => id),
    quietEndpointId: await endpoint(customerId, 'quiet', ['nothing.posted']),
    noEndpointId: await endpoint(customerId, 'silent', ['nothing.at_all']),
    fewCustomerId,
    noCustomerId: await create('/v1/customers', { name: 'None' }),
  };
  await deliverSamples(deep);
  return deep;
}

/** Leaves only past deliveries, as many as told. */
export async function truncateTo(scene: DeepScene, deliveries: number): Promise<void> {
  const { databaseUrl } = scene.stack;
  await withSession(databaseUrl, ({ query }) => query('TRUNCATE idempotency_keys, attempts, deliveries, drift_events'));
  const samples = await deliverSamples(scene);
  await withSession(
    databaseUrl,
    async (session) => {
      await addPastDeliveries(session, scene, deliveries - samples, () => {});
      await tidyTables(session);
    },
    PATIENCE,
  );
}

/** Real ones, that the past is copied from and that lists are asked for. Answers how many. */
async function deliverSamples({ call, receivers, stack, ...ids }: DeepScene): Promise<number> {
  receivers.forget();
  const post = (customerId: string, events: object[]) =>
    call('POST', '/v1/drift-events/batch', { customer_id: customerId, events });
  const some = Array.from({ length: SAMPLES }, (_, n) => aDriftEvent(n));
  await post(ids.customerId, [{ ...aDriftEvent(SAMPLES), idempotency_key: 'the-first' }, ...some]);
  await post(ids.fewCustomerId, some.slice(0, FEW));
  const deliveries = (SAMPLES + 1) * receivers.urls.length + FEW;
  await watchArrivals(receivers, deliveries, () => {});
  await withSession(stack.databaseUrl, untilAllRecorded);
  return deliveries;
}
