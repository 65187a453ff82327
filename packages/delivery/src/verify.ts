import { timingSafeEqual } from 'node:crypto';
import { standardSignature } from './signature.js';

const FIVE_MINUTES_SECONDS = 300;

export type WebhookToVerify = {
  /** The bytes as received. A parsed and re-serialised body does not verify. */
  body: Buffer | string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  secrets: readonly string[];
  nowSeconds: number;
  toleranceSeconds?: number;
};

export type Verification =
  | { ok: true; webhookId: string }
  | { ok: false; reason: 'missing_header' | 'bad_timestamp' | 'too_old' | 'too_new' | 'no_match' };

/**
 * The receiving side of Standard Webhooks: proves that one of our secrets signed this body, now. Signatures are
 * compared in constant time; other versions than `v1` (`v1a`, …) match none of ours. A malformed secret throws: that is the receiver's own configuration, not a bad webhook.
 */
export function verifyWebhook(input: WebhookToVerify): Verification {
  const headers = lowerCased(input.headers);
  const webhookId = headers.get('webhook-id');
  const timestamp = headers.get('webhook-timestamp');
  const signatures = headers.get('webhook-signature');
  if (!webhookId || !timestamp || !signatures) return { ok: false, reason: 'missing_header' };

  const reason = timestampProblem(timestamp, input.nowSeconds, input.toleranceSeconds ?? FIVE_MINUTES_SECONDS);
  if (reason) return { ok: false, reason };

  const given = signatures.split(' ').map((signature) => Buffer.from(signature));
  const isOurs = input.secrets.some((secret) => {
    const expected = Buffer.from(standardSignature(secret, webhookId, timestamp, input.body));
    return given.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  });
  return isOurs ? { ok: true, webhookId } : { ok: false, reason: 'no_match' };
}

function timestampProblem(timestamp: string, nowSeconds: number, toleranceSeconds: number) {
  if (!/^\d{1,15}$/.test(timestamp)) return 'bad_timestamp';
  const ageSeconds = nowSeconds - Number(timestamp);
  if (ageSeconds > toleranceSeconds) return 'too_old';
  if (ageSeconds < -toleranceSeconds) return 'too_new';
  return null;
}

function lowerCased(headers: WebhookToVerify['headers']): Map<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(' ') : value]],
  );
  return new Map(entries);
}
