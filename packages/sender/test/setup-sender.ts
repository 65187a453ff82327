import { afterEach } from '@jest/globals';
import { type AttemptReport, createSender, type SenderOptions, type WebhookRequest } from '../src/index.js';
import type { Receiver } from './receivers.js';
import { aWebhookRequest, resolvesTo } from './webhook-requests.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A receiver and a sender that may reach it as `localhost`; both are closed after the test. */
export async function setup<R extends Pick<Receiver, 'url' | 'close'>>(
  starting: Promise<R>,
  overrides: Partial<SenderOptions> = {},
) {
  const receiver = await starting;
  const sender = createSender({
    version: '0.1.0',
    addressPolicy: { allowPrivate: true, ports: [] },
    timeoutMs: 5000,
    lookup: resolvesTo('127.0.0.1'),
    ...overrides,
  });
  closers.push(receiver.close, sender.close);
  const send = (request: Partial<WebhookRequest> = {}, withinMs?: number): Promise<AttemptReport> =>
    sender.send(aWebhookRequest({ url: receiver.url, ...request }), withinMs);
  return { receiver, sender, send };
}
