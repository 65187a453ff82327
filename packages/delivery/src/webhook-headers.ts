import { type SignatureInput, signatureHeaders } from './signature.js';

const REDACTED = '[redacted]';
/** What an attempt's record leaves out: a signature proves nothing to a reader, and invites replays. */
export const signatureHeaderNames = ['X-Signature', 'X-Signature-Previous', 'webhook-signature'] as const;

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

/** The headers with the values of some of them, named in any case, replaced. */
export function redactHeaders(
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  const redacted = { ...headers };
  if (names.length === 0) return redacted;
  const hidden = new Set(names.map((name) => name.toLowerCase()));
  for (const name of Object.keys(redacted)) if (hidden.has(name.toLowerCase())) redacted[name] = REDACTED;
  return redacted;
}
