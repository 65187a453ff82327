import type { ResolveAll, WebhookRequest } from '../src/index.js';

export const aSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const anOlderSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

export function aWebhookRequest(overrides: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    url: 'https://receiver.example.com/hook',
    eventType: 'drift.created',
    deliveryId: '019a0000-0000-7000-8000-000000000001',
    attemptNumber: 1,
    webhookId: '019a0000-0000-7000-8000-000000000002',
    body: Buffer.from('{}'),
    secrets: [aSecret],
    customHeaders: {},
    ...overrides,
  };
}

export function resolvesTo(...addresses: string[]): ResolveAll {
  return (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}

export function failsToResolve(code: string): ResolveAll {
  return (hostname, _options, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code }), []);
}
