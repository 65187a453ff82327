import type { IncomingHttpHeaders } from 'node:http';
import { type Outcome, parseRetryAfter, storableText } from '@driftwire/delivery';
import type { RecordedResponse } from './attempt-report.js';
import { KEPT_BYTES } from './body-start.js';
import type { Exchange } from './exchange.js';

const MAX_HEADER_BYTES = 8 * 1024;

/** Once the head has arrived the status decides, whatever became of the body. */
export function outcomeOf(exchange: Exchange, nowMs: number): Outcome {
  if (exchange.head === null) return exchange.failure;
  const { statusCode = 0, headers } = exchange.head;
  return { kind: 'response', status: statusCode, retryAfterMs: parseRetryAfter(headers['retry-after'], nowMs) };
}

export function recordedResponse(exchange: Exchange): RecordedResponse | null {
  if (exchange.head === null) return null;
  const { statusCode = 0, headers } = exchange.head;
  return { status: statusCode, headers: recordedHeaders(headers), body: storableText(exchange.body, KEPT_BYTES) };
}

/** The headers that fit into 8 KiB, in the order they came. */
function recordedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const recorded: [string, string | string[]][] = [];
  let freeBytes = MAX_HEADER_BYTES;
  for (const [name, value = ''] of Object.entries(headers)) {
    freeBytes -= Buffer.byteLength(name) + Buffer.byteLength(String(value));
    if (freeBytes < 0) break;
    recorded.push([
      storableText(name),
      Array.isArray(value) ? value.map((one) => storableText(one)) : storableText(value),
    ]);
  }
  return Object.fromEntries(recorded);
}
