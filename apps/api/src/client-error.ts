import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { commonHeaders } from './common-headers.js';
import { uuidv7 } from './new-id.js';
import { Problem, problemBody } from './problem.js';

/**
 * What Node's HTTP parser refuses: there is no request yet, so the answer is written to the socket by hand, in the form
 * every other error has, and the connection ends.
 */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(responseText(problemOf(error.code)));
  socket.destroy(error);
}

function problemOf(code: string): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('headers_too_large', 'All headers together may have 16 KiB.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('request_timeout', 'Send the whole request within 30 seconds.');
    default:
      return new Problem('invalid_request', 'The request is not valid HTTP.');
  }
}

function responseText(problem: Problem): string {
  const requestId = uuidv7(Date.now());
  const body = JSON.stringify(problemBody(problem, requestId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(commonHeaders(requestId)).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
