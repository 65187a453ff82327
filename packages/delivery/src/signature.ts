import { createHmac } from 'node:crypto';
import { secretKey } from './secret.js';

export type SignatureInput = {
  body: Buffer;
  webhookId: string;
  timestampSeconds: number;
  /** Newest first. The second one is the older secret during a rotation's overlap. */
  secrets: readonly [string, ...string[]];
};

/** The headers that prove a webhook is ours, in both schemes: plain `X-Signature` and Standard Webhooks. */
export function signatureHeaders(input: SignatureInput): Record<string, string> {
  const { body, webhookId, timestampSeconds, secrets } = input;
  const [newest, previous] = secrets;
  return {
    'X-Signature': bodySignature(body, newest),
    ...(previous === undefined ? {} : { 'X-Signature-Previous': bodySignature(body, previous) }),
    'webhook-id': webhookId,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': secrets
      .map((secret) => standardSignature(secret, webhookId, String(timestampSeconds), body))
      .join(' '),
  };
}

/** One Standard Webhooks signature, `v1,<base64>`: HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded secret. */
export function standardSignature(secret: string, webhookId: string, timestamp: string, body: Buffer | string): string {
  const hmac = createHmac('sha256', secretKey(secret)).update(`${webhookId}.${timestamp}.`).update(body);
  return `v1,${hmac.digest('base64')}`;
}

/** For receivers without a library: keyed with the secret's whole text, `whsec_` included. */
function bodySignature(body: Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}
