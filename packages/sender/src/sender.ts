import { redactHeaders, signatureHeaderNames, urlProblem, webhookHeaders } from '@driftwire/delivery';
import type { AttemptReport } from './attempt-report.js';
import { type Exchange, exchange, unsent } from './exchange.js';
import { failure } from './failure.js';
import { createHttpClient, type HttpClientOptions } from './http-client.js';
import { outcomeOf, recordedResponse } from './received.js';
import { createStandstill } from './standstill.js';
import type { WebhookRequest } from './webhook-request.js';

export type SenderOptions = HttpClientOptions & {
  /** Driftwire's, for the `User-Agent`. */
  version: string;
  /** For a whole attempt, from the DNS lookup to the last byte of the body. */
  timeoutMs: number;
};

/**
 * Makes one guarded, signed request per `send`, bounded by the sender's timeout and by `withinMs`. What it signs, stamps and
 * judges instants with is `now`, in milliseconds since 1970: a receiver refuses what is minutes off. Whatever a receiver, a
 * resolver or the network does is an outcome; `send` rejects for bugs only. `close` drops the connections, so call it when no attempt is in flight.
 */
export type Sender = {
  send(request: WebhookRequest, withinMs?: number, now?: () => number): Promise<AttemptReport>;
  close(): void;
};

export function createSender(options: SenderOptions): Sender {
  const { version, addressPolicy, timeoutMs } = options;
  const client = createHttpClient(options);
  const standstill = createStandstill();

  async function send(request: WebhookRequest, withinMs = timeoutMs, now = Date.now): Promise<AttemptReport> {
    const startedAtMs = now();
    const startedMs = performance.now();
    const timestampSeconds = Math.floor(startedAtMs / 1000);
    // What is added comes first: added to a copy of the request it takes Node 20 ten times as long.
    const headers = webhookHeaders({ version, timestampSeconds, ...request });
    const result = await attempt(request, headers, Math.min(withinMs, timeoutMs));
    const confidential = [...Object.keys(request.customHeaders), ...signatureHeaderNames].flatMap(
      (name) => headers[name] ?? [],
    );
    return {
      startedAt: new Date(startedAtMs),
      durationMs: Math.round(performance.now() - startedMs),
      phases: result.phases,
      requestHeaders: redactHeaders(headers, Object.keys(request.customHeaders)),
      outcome: outcomeOf(result, now()),
      response: recordedResponse(result, confidential),
      error: result.head === null ? result.failure.error : null,
      withheld: result.head === null ? result.withheld : null,
    };
  }

  /** The address is judged twice: the URL here, the addresses behind a name when the connection is made. */
  function attempt(request: WebhookRequest, headers: Record<string, string>, withinMs: number): Promise<Exchange> {
    const problem = urlProblem(request.url, addressPolicy);
    if (problem !== null) return Promise.resolve(unsent(failure('blocked', problem)));
    const { url, body } = request;
    return exchange((connection) => client.post({ url, headers, body }, connection), { withinMs, standstill });
  }

  return {
    send,
    close: client.close,
  };
}
