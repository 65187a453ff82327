import { Agent, request } from 'node:http';
import type { FuzzRequest } from './requests.js';

/** What came back, or that nothing did. */
export type FuzzAnswer =
  | { kind: 'answer'; status: number; contentType: string | undefined; requestId: string | undefined; text: string }
  | { kind: 'none'; reason: string };

const ANSWERED_WITHIN_MS = 10_000;

/** Sends one request on a kept connection, with no more care than it was made with. */
export function createSend(apiUrl: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(apiUrl);

  const send = (fuzz: FuzzRequest, key: string | undefined): Promise<FuzzAnswer> =>
    new Promise((resolve) => {
      const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
      // Said always: without it Node would send the body of a DELETE as if it were the next request.
      const length = { 'content-length': Buffer.byteLength(fuzz.body ?? '') };
      const headers = { ...fuzz.headers, ...length, ...authorization };
      const none = (error: Error) => resolve({ kind: 'none', reason: error.message });
      const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
      const outgoing = request({ agent, hostname, port, method: fuzz.method, path: fuzz.target, headers, signal });
      outgoing.on('error', none);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', none);
        response.on('end', () => {
          const { statusCode: status = 0 } = response;
          const { 'content-type': contentType, 'x-request-id': requestId } = response.headers;
          const text = Buffer.concat(chunks).toString();
          resolve({ kind: 'answer', status, contentType, requestId: requestId?.toString(), text });
        });
      });
      outgoing.end(fuzz.body);
    });
  return { send, close: () => agent.destroy() };
}
