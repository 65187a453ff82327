import { once } from 'node:events';
import { connect } from 'node:net';
import { ADMIN_API_KEY } from '@driftwire/testing';

/** Bytes on a socket, for what no HTTP client would send. */
export type RawExchange = { status: number; body: string; closed: boolean };

const DEADLINE_MS = 3_000;

/** A POST of a drift event up to and without its body; `framing` says how the body is announced. */
export function postHead(framing: string, headers = `Authorization: Bearer ${ADMIN_API_KEY}\r\n`): string {
  return `POST /v1/drift-events HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\n${framing}\r\n\r\n`;
}

/** Sends the text and reads until the server closes the connection, or until the deadline: then `closed` is false. */
export async function exchange(url: string, text: string): Promise<RawExchange> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => {}); // a reset is one way of closing
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('still open')));
  let closed = true;
  socket.on('timeout', () => {
    closed = false;
  });
  socket.write(text);
  await once(socket, 'close');
  const [head = '', body = ''] = received.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), body, closed };
}

/** Sends the text and goes away without waiting for an answer. */
export async function sendAndLeave(url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  socket.destroy();
}
