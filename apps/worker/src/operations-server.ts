import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export type Health = { postgres: boolean; redis: boolean };

export type OperationsServer = { port: number; close: () => void };

/** A worker's own `/healthz`, `/readyz` and `/metrics`, for probes and Prometheus. */
export async function startOperationsServer(options: {
  host: string;
  port: number;
  registry: Registry;
  checkHealth: () => Promise<Health>;
}): Promise<OperationsServer> {
  const server = createServer(async (request, response) => {
    switch (request.url) {
      case '/healthz':
        return answerJson(response, 200, { status: 'ok' });
      case '/readyz':
        return answerReadiness(response, await options.checkHealth());
      case '/metrics':
        response.setHeader('content-type', options.registry.contentType);
        return response.end(await options.registry.metrics());
      default:
        return answerJson(response, 404, { status: 'not found: /healthz, /readyz and /metrics are here' });
    }
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port }: AddressInfo = addressOf(server.address());
  return {
    port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A worker is of no use without either. */
function answerReadiness(response: ServerResponse, { postgres, redis }: Health): void {
  const word = (up: boolean) => (up ? 'ok' : 'down');
  answerJson(response, postgres && redis ? 200 : 503, { postgres: word(postgres), redis: word(redis) });
}

function answerJson(response: ServerResponse, status: number, body: Record<string, string>): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port');
  return address;
}
