import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { AddressPolicy } from '@driftwire/delivery';
import got, { type Request } from 'got';
import { guardedLookup, type ResolveAll } from './guarded-lookup.js';
import { createKeepAliveAgents } from './keep-alive-agents.js';
import { sharedLookup } from './shared-lookup.js';

const MAX_HEADER_BYTES = 16 * 1024;

export type HttpClientOptions = {
  addressPolicy: AddressPolicy;
  /** Connections that wait for the next attempt, over all receivers, for each of http and https. */
  maxIdleSockets?: number;
  /** Names that may be looked up at a time, each on a thread of this process; the default goes with libuv's four. */
  lookupsAtOnce?: number;
  /** All addresses of a name: the system's resolver, unless a test says otherwise. */
  lookup?: ResolveAll;
  /** The only certificate authority to trust, in PEM: Node's list, unless a test says otherwise. */
  certificateAuthority?: string;
};

export type HttpClient = {
  /** `connection`: see `OpenRequest`. */
  post(request: { url: string; headers: Record<string, string>; body: Buffer }, connection: 'kept' | 'new'): Request;
  close(): void;
};

/**
 * got without its comforts: no retries, no redirects, no decompression, no proxy, no http2, nothing thrown for a status.
 * Nor its timeouts, which throw away answers that have arrived unread: whoever opens a request bounds it (`exchange`).
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const {
    addressPolicy,
    lookup = systemLookup,
    lookupsAtOnce = 2,
    maxIdleSockets = 256,
    certificateAuthority,
  } = options;
  const resolve = sharedLookup({ lookup, places: lookupsAtOnce });
  const agents = createKeepAliveAgents(guardedLookup(resolve, addressPolicy), maxIdleSockets);
  const client = got.extend({
    method: 'POST',
    agent: agents.keeping,
    // The lists, too: got copies them for every request.
    retry: { limit: 0, methods: [], statusCodes: [], errorCodes: [] },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    request: requestWithWhatIsSet,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment cannot turn certificates off.
    https: { rejectUnauthorized: true, certificateAuthority },
  });
  return {
    post: ({ url, headers, body }, connection) =>
      client.stream(url, connection === 'kept' ? { headers, body } : { headers, body, agent: agents.fresh }),
    close: agents.close,
  };
}

/**
 * got hands over some forty options, most of them undefined, and Node copies them three times on the way to a socket: a
 * twentieth of what a delivery costs. Only these are set here.
 */
function requestWithWhatIsSet(url: URL, options: RequestOptions): http.ClientRequest {
  const { agent, method, headers, maxHeaderSize, rejectUnauthorized, ca } = options;
  if (url.protocol === 'http:') return http.request(url, { agent, method, headers, maxHeaderSize });
  return https.request(url, { agent, method, headers, maxHeaderSize, rejectUnauthorized, ca });
}
