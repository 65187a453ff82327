import type { IncomingMessage } from 'node:http';

/** What a receiver reads of a webhook. */
export type Webhook = { deliveryId: string; number: number; webhookId: string; n: number };

/** A request whose sender dies before its body is complete is still a request, with an `n` that no event has. */
export async function readWebhook(request: IncomingMessage): Promise<Webhook> {
  const { headers } = request;
  return {
    deliveryId: `${headers['x-webhook-delivery-id']}`,
    number: Number(headers['x-webhook-attempt']),
    webhookId: `${headers['webhook-id']}`,
    n: eventNumber(await readText(request)),
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString();
}

function eventNumber(body: string): number {
  const [, n = '-1'] = /"n":(\d+)/.exec(body) ?? [];
  return Number(n);
}
