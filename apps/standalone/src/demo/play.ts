import { until } from '@driftwire/local-servers';
import type { Progress } from './progress.js';
import type { AcceptedEvent, Delivery, PublicApi } from './public-api.js';
import type { Receiver } from './receiver.js';
import type { Evidence, PostedEvent, Witness } from './story.js';
import type { WeatherDrift } from './weather-drift.js';

export type PlayDeps = {
  api: PublicApi;
  receivers: Receiver[];
  show: (progress: Progress) => void;
  signal: AbortSignal;
};

const FINISHED_WITHIN_MS = 45_000;
const ASK_EVERY_MS = 100;

/** The demo itself: a customer with an endpoint per receiver, the drift events, and what became of them. */
export async function play(deps: PlayDeps, drift: WeatherDrift[]): Promise<Evidence> {
  const { id: customerId } = await deps.api.createCustomer('Weather watchers');
  const witnesses = await Promise.all(deps.receivers.map((receiver) => subscribe(deps, customerId, receiver)));
  const events = await post(deps, customerId, drift);
  const deliveries = await awaitDeliveries(deps, customerId, events.length);
  return { events, witnesses, deliveries: await Promise.all(deliveries.map(({ id }) => deps.api.readDelivery(id))) };
}

async function subscribe({ api }: PlayDeps, customerId: string, receiver: Receiver): Promise<Witness> {
  const { role, url, received, trust } = receiver;
  const { id, secret } = await api.createEndpoint({
    customer_id: customerId,
    name: role.name,
    url,
    ...role.subscription,
  });
  trust(secret);
  return { role, endpointId: id, received };
}

/** The worst one by itself and at once, the others in a batch. */
async function post({ api }: PlayDeps, customerId: string, drift: WeatherDrift[]): Promise<PostedEvent[]> {
  const [worst, ...others] = drift;
  if (!worst) return [];
  const first = await api.postEvent({ customer_id: customerId, ...worst.body });
  const events = others.map(({ body }) => body);
  const rest = events.length === 0 ? [] : await api.postBatch({ customer_id: customerId, events });
  return drift.flatMap((one, index) => withIds(one, [first, ...rest][index]));
}

function withIds(drift: WeatherDrift, accepted: AcceptedEvent | undefined): PostedEvent[] {
  return accepted ? [{ ...drift, id: accepted.id, requestId: accepted.request_id }] : [];
}

/** All of them as they stand once the last is finished, or when it takes too long: then the verdict will say which. */
async function awaitDeliveries({ api, show, signal }: PlayDeps, customerId: string, events: number) {
  let deliveries: Delivery[] = [];
  const areFinished = async () => {
    deliveries = await api.listDeliveries(customerId);
    show(progressOf(events, deliveries));
    return deliveries.every(({ completed_at: completedAt }) => completedAt !== null);
  };
  await until(areFinished, { deadlineMs: FINISHED_WITHIN_MS, everyMs: ASK_EVERY_MS, signal });
  signal.throwIfAborted();
  return deliveries;
}

function progressOf(events: number, deliveries: Delivery[]): Progress {
  return {
    events,
    deliveries: deliveries.length,
    finished: deliveries.filter(({ completed_at: completedAt }) => completedAt !== null).length,
    waiting: deliveries.filter(({ status }) => status === 'retrying').length,
  };
}
