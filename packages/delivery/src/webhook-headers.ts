import { type SignatureInput, signatureHeaders } from './signature.js';

const REDACTED = '[redacted]';
const SIGNATURES = ['x-signature', 'x-signature-previous', 'webhook-signature'];

export type WebhookHeadersInput = SignatureInput & {
  version: string;
  eventType: string;
  deliveryId: string;
  attemptNumber: number;
  customHeaders: Readonly<Record<string, string>>;
};

/** Every header of one attempt. Ours come last, so no custom header can replace one of them. */
export function webhookHeaders(input: WebhookHeadersInput): Record<string, string> {
  return {
    ...input.customHeaders,
    'Content-Type': 'application/json',
    'User-Agent': `Driftwire/${input.version}`,
    'X-Webhook-Event': input.eventType,
    'X-Webhook-Delivery-ID': input.deliveryId,
    'X-Webhook-Attempt': String(input.attemptNumber),
    ...signatureHeaders(input),
  };
}

/** The headers as an attempt's record may keep them: without signatures and without the values of custom headers. */
export function redactHeaders(
  headers: Readonly<Record<string, string>>,
  customNames: readonly string[],
): Record<string, string> {
  const hidden = new Set([...SIGNATURES, ...customNames.map((name) => name.toLowerCase())]);
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    hidden.has(name.toLowerCase()) ? REDACTED : value,
  ]);
  return Object.fromEntries(entries);
}
