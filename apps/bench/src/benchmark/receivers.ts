import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A webhook that arrived at the receiver with this index. `at` is of this process's monotonic clock. */
export type Arrival = { deliveryId: string; eventId: string; receiver: number; at: number };

export type Receivers = {
  urls: string[];
  /** In order of arrival, since the last `forget`. */
  arrivals: Arrival[];
  forget: () => void;
  /** With which status what arrives from now on is answered; with 200 in the beginning. */
  answerWith: (status: number) => void;
  close: () => Promise<void>;
};

/**
 * Receivers that note every webhook and answer after `delayMs`, never where that is Infinity. They share processors with what is
 * measured, so they do as little as HTTP lets them: a kept connection, one request after the other, a body of known length that
 * nobody reads. A request that is anything else closes its connection, and is missed at the end.
 */
export async function startReceivers(count: number, { delayMs = 0 }: { delayMs?: number } = {}): Promise<Receivers> {
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  let text = answerText(200);
  const serve = (receiver: number) => (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Whoever was at the other end has been killed; what it got or did not get is counted elsewhere.
    socket.on('error', () => {});
    socket.setNoDelay(true);
    receive(socket, (head) => {
      const arrival = { deliveryId: header(head, 'x-webhook-delivery-id'), eventId: header(head, 'webhook-id') };
      arrivals.push({ ...arrival, receiver, at: performance.now() });
      return { text, delayMs };
    });
  };
  const servers = await Promise.all(Array.from({ length: count }, (_, receiver) => listen(serve(receiver))));
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    arrivals,
    forget: () => arrivals.splice(0),
    answerWith: (status) => {
      text = answerText(status);
    },
    close: async () => {
      const closed = servers.map((server) => once(server.close(), 'close'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

const HEAD_END = '\r\n\r\n';

type Answer = { text: string; delayMs: number };

function answerText(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: text/plain\r\ncontent-length: 2${HEAD_END}ok`;
}

/** Tells the head of every request as soon as it is there, and answers when the body is, as it was told. */
function receive(socket: Socket, onHead: (head: string) => Answer): void {
  let head = '';
  let bodyLeft = 0;
  let answer: Answer = { text: '', delayMs: 0 };
  const send = ({ text }: Answer) => {
    socket.write(text);
  };
  socket.on('data', (chunk) => {
    if (bodyLeft > 0) {
      bodyLeft -= chunk.length;
    } else {
      head += chunk.toString('latin1').toLowerCase();
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      bodyLeft = Number(header(head, 'content-length')) - (head.length - end - HEAD_END.length);
      answer = onHead(head);
      head = '';
    }
    if (bodyLeft === 0 && answer.delayMs === 0) send(answer);
    else if (bodyLeft === 0 && answer.delayMs < Number.POSITIVE_INFINITY) setTimeout(send, answer.delayMs, answer);
    else if (!(bodyLeft >= 0)) socket.destroy();
  });
}

/** Of a head in lower case; empty when it is not there. */
function header(head: string, name: string): string {
  const start = head.indexOf(`\r\n${name}: `);
  return start < 0 ? '' : head.slice(start + name.length + 4, head.indexOf('\r\n', start + 2));
}

async function listen(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
