import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/** A request as it arrived: `body` is the very bytes, for verifying signatures. */
export type Received = { path: string; headers: IncomingHttpHeaders; body: Buffer; at: number };

/** What to answer: a status, or more. `hang` never answers. */
export type Reply = number | { status: number; headers?: Record<string, string>; body?: string | Buffer } | 'hang';

export type Receiver = {
  url: string;
  requests: Received[];
  /**
   * The answers from now on: a list is used up in order and its last entry stays; a function sees the request, and may
   * take its time.
   */
  reply: (next: Reply | readonly Reply[] | ((request: Received) => Reply | Promise<Reply>)) => void;
  close: () => Promise<void>;
};

/** A real HTTP server that keeps what it receives. Answers 200 until told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  const requests: Received[] = [];
  let next: (request: Received) => Reply | Promise<Reply> = () => 200;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const received = {
      path: request.url ?? '/',
      headers: request.headers,
      body: Buffer.concat(chunks),
      at: Date.now(),
    };
    requests.push(received);
    const reply = await next(received);
    if (reply === 'hang') return;
    const { status, headers = {}, body = '' } = typeof reply === 'number' ? { status: reply } : reply;
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    reply: (replies) => {
      next = typeof replies === 'function' ? replies : inTurn(replies);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function inTurn(replies: Reply | readonly Reply[]): () => Reply {
  const queue: Reply[] = isList(replies) ? [...replies] : [replies];
  return () => (queue.length > 1 ? queue.shift() : queue[0]) ?? 200;
}

function isList(replies: Reply | readonly Reply[]): replies is readonly Reply[] {
  return Array.isArray(replies);
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port');
  return address.port;
}
