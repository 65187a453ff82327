import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A webhook that arrived. `at` is of this process's monotonic clock. */
export type Arrival = { deliveryId: string; eventId: string; at: number };

export type Receivers = {
  urls: string[];
  /** In order of arrival, since the last `forget`. */
  arrivals: Arrival[];
  forget: () => void;
  close: () => Promise<void>;
};

const OK = { 'content-length': '2', 'content-type': 'text/plain' };

/** Receivers that note every webhook and answer 200 after `delayMs`. They read the body and do nothing else with it. */
export async function startReceivers(count: number, { delayMs = 0 }: { delayMs?: number } = {}): Promise<Receivers> {
  const arrivals: Arrival[] = [];
  const servers = await Promise.all(Array.from({ length: count }, () => listen(arrivals, delayMs)));
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    arrivals,
    forget: () => arrivals.splice(0),
    close: async () => void (await Promise.all(servers.map(close))),
  };
}

async function listen(arrivals: Arrival[], delayMs: number): Promise<Server> {
  // No limits of its own: a connection must never be closed under a request that has just been sent.
  const limits = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server = createServer(limits, (request, response) => {
    const { 'x-webhook-delivery-id': deliveryId, 'webhook-id': eventId } = request.headers;
    arrivals.push({ deliveryId: `${deliveryId}`, eventId: `${eventId}`, at: performance.now() });
    const answer = () => response.writeHead(200, OK).end('ok');
    request.resume();
    request.once('end', () => (delayMs === 0 ? answer() : setTimeout(answer, delayMs)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
