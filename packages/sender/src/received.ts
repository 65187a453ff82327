import type { IncomingHttpHeaders } from 'node:http';
import { type Outcome, parseRetryAfter, storableText } from '@driftwire/delivery';
import type { RecordedResponse } from './attempt-report.js';
import { KEPT_BYTES } from './body-start.js';
import type { Exchange } from './exchange.js';
import { recordedBody } from './recorded-body.js';

const MAX_HEADER_BYTES = 8 * 1024;
const REDACTED = '[redacted]';

/** Once the head has arrived the status decides, whatever became of the body. */
export function outcomeOf(exchange: Exchange, nowMs: number): Outcome {
  if (exchange.head === null) return exchange.failure;
  const { statusCode = 0, headers } = exchange.head;
  return { kind: 'response', status: statusCode, retryAfterMs: parseRetryAfter(headers['retry-after'], nowMs) };
}

/**
 * What is kept of an answer. A receiver may send back what it was sent, as tools for debugging do: `confidential`, the
 * values of custom headers and the signatures, is taken out again: the first are stored sealed and nowhere else, and with the
 * others whoever reads the record could send the webhook once more.
 */
export function recordedResponse(exchange: Exchange, confidential: readonly string[]): RecordedResponse | null {
  if (exchange.head === null) return null;
  const { statusCode = 0, headers } = exchange.head;
  const echoes = confidential.flatMap(spokenParts);
  return {
    status: statusCode,
    headers: recordedHeaders(headers, echoes),
    body: withoutEchoesInBody(recordedBody(exchange.body, headers), echoes),
  };
}

/** Shorter values would be found in anything, and are no secrets. */
const SHORTEST_ECHO = 8;
/** In bytes: a character that the end of what is kept would have split is left out. */
const LONGEST_CHARACTER = 4;

/** The whole first, then its words: of `Bearer <token>` a receiver may say the token alone. */
function spokenParts(value: string): string[] {
  const parts = value.includes(' ') ? [value, ...value.split(' ')] : [value];
  return parts.filter((part) => part.length >= SHORTEST_ECHO);
}

function withoutEchoes(text: string, values: readonly string[]): string {
  // Most of what receivers say is shorter than what is looked for.
  return values.reduce((rest, value) => (rest.length < value.length ? rest : rest.replaceAll(value, REDACTED)), text);
}

function withoutEchoesInBody(body: string, values: readonly string[]): string {
  const isCut = Buffer.byteLength(body) >= KEPT_BYTES - LONGEST_CHARACTER;
  const cleaned = withoutEchoes(body, values);
  return isCut ? withoutCutEcho(cleaned, values) : cleaned;
}

/** An echo that the end of what is kept has cut in two. */
function withoutCutEcho(body: string, values: readonly string[]): string {
  for (const value of values) {
    for (let length = value.length - 1; length >= SHORTEST_ECHO; length -= 1) {
      if (body.endsWith(value.slice(0, length))) return `${body.slice(0, -length)}${REDACTED}`;
    }
  }
  return body;
}

/** The headers that fit into 8 KiB, in the order they came. */
function recordedHeaders(headers: IncomingHttpHeaders, echoes: readonly string[]): Record<string, string | string[]> {
  const recorded: [string, string | string[]][] = [];
  const clean = (text: string) => withoutEchoes(storableText(text), echoes);
  let freeBytes = MAX_HEADER_BYTES;
  for (const [name, value = ''] of Object.entries(headers)) {
    freeBytes -= Buffer.byteLength(name) + Buffer.byteLength(String(value));
    if (freeBytes < 0) break;
    recorded.push([storableText(name), Array.isArray(value) ? value.map(clean) : clean(value)]);
  }
  return Object.fromEntries(recorded);
}
