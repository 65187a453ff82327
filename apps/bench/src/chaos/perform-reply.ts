import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Reply } from './reply-plan.js';

const DRIPPED_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Never: ends';
const DRIP_EVERY_MS = 1_000;
/** So that the head has left before the connection breaks. */
const RESET_AFTER_MS = 50;

/** Does it, and says which status left with a complete head; null if none did. */
export function performReply(reply: Reply, response: ServerResponse): number | null {
  const { socket } = response;
  if (!socket || socket.destroyed) return null;
  switch (reply.kind) {
    case 'answer':
      return answer(reply, response);
    case 'reset-in-body':
      return breakOff(response, socket);
    case 'reset':
      socket.resetAndDestroy();
      return null;
    case 'drip':
      drip(socket);
      return null;
    case 'hang':
    case 'kill-sender':
      return null;
  }
}

function answer({ status, retryAfterS }: Reply & { kind: 'answer' }, response: ServerResponse): number {
  response.writeHead(status, retryAfterS === undefined ? {} : { 'retry-after': `${retryAfterS}` }).end();
  return status;
}

function breakOff(response: ServerResponse, socket: Socket): number {
  response.writeHead(200, { 'content-length': '100' }).write('the rest ne');
  setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
  return 200;
}

function drip(socket: Socket): void {
  let sent = 0;
  const timer = setInterval(() => {
    const byte = DRIPPED_HEAD[sent++];
    if (byte === undefined || socket.destroyed) clearInterval(timer);
    else socket.write(byte);
  }, DRIP_EVERY_MS);
  socket.once('close', () => clearInterval(timer));
}
