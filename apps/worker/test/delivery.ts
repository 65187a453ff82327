import type { ApiAnswer, Received, Receiver, Stack } from '@driftwire/testing';

export type PostedDelivery = {
  id: string;
  event: ApiAnswer['body'];
  customerId: string;
  endpoint: ApiAnswer['body'];
  /** What the receiver got of this delivery. */
  requests: () => Received[];
};

/** A drift event for one endpoint of a new customer; the receiver answers from now on with `replies`. */
export async function postDelivery(
  stack: Stack,
  { replies = 200, endpoint = {}, event = {} }: PostOptions = {},
): Promise<PostedDelivery> {
  stack.receiver.reply(replies);
  const created = await stack.customerWithEndpoint(endpoint);
  const posted = await stack.postEvent(created.customerId, event);
  const id: string = posted.deliveries[0].id;
  return {
    id,
    event: posted,
    ...created,
    requests: () => stack.receiver.requests.filter(({ headers }) => headers['x-webhook-delivery-id'] === id),
  };
}

type PostOptions = {
  replies?: Parameters<Receiver['reply']>[0];
  endpoint?: Record<string, unknown>;
  event?: Record<string, unknown>;
};

export function header({ headers }: Received, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') throw new Error(`no header ${name}`);
  return value;
}
