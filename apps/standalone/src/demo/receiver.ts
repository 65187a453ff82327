import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { answerOf, type Role } from './roles.js';
import { findSignatureProblem } from './signature-check.js';

/** One attempt as its receiver saw it, and what it answered. */
export type ReceivedWebhook = {
  deliveryId: string;
  webhookId: string;
  requestId: string;
  signatureProblem: string | undefined;
  answered: number;
};

export type Receiver = {
  role: Role;
  url: string;
  received: ReceivedWebhook[];
  /** The secret is known only once the endpoint exists, and the endpoint needs the url. */
  trust: (secret: string) => void;
  close: () => Promise<void>;
};

/** A real HTTP server that plays a role. What does not verify it answers with 401, whatever its role. */
export async function startReceiver(role: Role): Promise<Receiver> {
  const received: ReceivedWebhook[] = [];
  let secret = '';
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const signatureProblem = findSignatureProblem(body, request.headers, secret);
    const { deliveryId, ...ids } = identify(request, body);
    const attempt = received.filter((earlier) => earlier.deliveryId === deliveryId).length + 1;
    const answered = signatureProblem === undefined ? answerOf(role, attempt) : 401;
    received.push({ deliveryId, ...ids, signatureProblem, answered });
    response.writeHead(answered).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    role,
    url: `http://127.0.0.1:${portOf(server.address())}/`,
    received,
    trust(given) {
      secret = given;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function identify({ headers }: IncomingMessage, body: Buffer) {
  return {
    deliveryId: `${headers['x-webhook-delivery-id']}`,
    webhookId: `${headers['webhook-id']}`,
    requestId: readRequestId(body),
  };
}

function readRequestId(body: Buffer): string {
  try {
    return `${JSON.parse(body.toString()).metadata.request_id}`;
  } catch {
    return 'unreadable';
  }
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('a receiver does not listen on a TCP port');
  return address.port;
}
