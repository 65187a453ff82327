import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { AddressPolicy } from '@driftwire/delivery';
import got, { type Options, type Request } from 'got';
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
    request: requestWithWhatIsNeeded,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment cannot turn certificates off.
    https: { rejectUnauthorized: true, certificateAuthority },
    // For `keepSpreadsEmpty`.
    mutableDefaults: true,
  });
  keepSpreadsEmpty(client.defaults.options);
  return {
    post: ({ url, headers, body }, connection) =>
      client.stream(url, connection === 'kept' ? { headers, body } : { headers, body, agent: agents.fresh }),
    close: agents.close,
  };
}

/**
 * got copies these for every request and adds to the copy. Node 20 takes microseconds for each thing that is added to the copy of an
 * object that had something in it, and nanoseconds if it was empty: together an eighth of what a delivery costs.
 */
function keepSpreadsEmpty(options: Options): void {
  options.cacheOptions = {};
  options.headers = {};
}

/**
 * got hands over some forty options, most of them undefined, and Node copies them three times on the way to a socket; of a URL it
 * makes eight more. So only what is needed is passed on, and the headers as the list that goes out, which Node does not take apart and
 * put together again.
 */
function requestWithWhatIsNeeded(url: URL, options: RequestOptions): http.ClientRequest {
  const { agent, method, maxHeaderSize, rejectUnauthorized, ca } = options;
  const { protocol, host, port, pathname, search } = url;
  // As an address, an IPv6 literal has no brackets.
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const headers = headerList(host, options.headers);
  const request = { protocol, hostname, port, path: `${pathname}${search}`, agent, method, headers, maxHeaderSize };
  return protocol === 'http:' ? http.request(request) : https.request({ rejectUnauthorized, ca, ...request });
}

function headerList(host: string, headers: RequestOptions['headers'] = {}): string[] {
  const list = ['Host', host];
  for (const [name, value] of Object.entries(headers)) list.push(name, String(value));
  return list;
}
