import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isNativeError } from 'node:util/types';
import { Webhook } from 'standardwebhooks';

/**
 * Both signatures of a webhook, each checked as a receiver would: one by the published library, the other by hand. None of
 * Driftwire's own code, which would agree with itself. What is wrong, or undefined.
 */
export function findSignatureProblem(body: Buffer, headers: IncomingHttpHeaders, secret: string): string | undefined {
  return findStandardProblem(body, headers, secret) ?? findHmacProblem(body, headers, secret);
}

function findStandardProblem(body: Buffer, headers: IncomingHttpHeaders, secret: string): string | undefined {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  try {
    new Webhook(secret).verify(body, Object.fromEntries(names.map((name) => [name, `${headers[name] ?? ''}`])));
    return undefined;
  } catch (error) {
    return `standardwebhooks: ${isNativeError(error) ? error.message : error}`;
  }
}

function findHmacProblem(body: Buffer, headers: IncomingHttpHeaders, secret: string): string | undefined {
  const expected = Buffer.from(createHmac('sha256', secret).update(body).digest('hex'));
  const given = Buffer.from(`${headers['x-signature'] ?? ''}`);
  if (given.length === expected.length && timingSafeEqual(given, expected)) return undefined;
  return 'X-Signature is not the HMAC-SHA256 of the body';
}
