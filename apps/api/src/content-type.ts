import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

const JSON_TYPE = 'application/json';
/** Its `charset` is ignored: JSON is UTF-8, and defines no such parameter (RFC 8259, sections 8.1 and 11). */
const IS_JSON = /^\s*application\/json\s*(?:;|$)/i;
const NOTHING_DONE = /^(?:\s*identity\s*(?:,|$))*$/i;

/** The bodies that are read at all: uncompressed JSON, as bytes. */
export function takeOnlyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, ({ bodyHold }, body, done) => {
    bodyHold?.bytesAre(body.length);
    done(null, body);
  });
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.method === 'GET' || isPlainJson(request.raw)) done();
    else judgeContentType(request, reply).then(() => done(), done);
  });
}

/**
 * Before the body is read. One of no bytes is no body, whatever is said of its type and coding: `curl -d ''` calls it a
 * form. It goes on as JSON, which Fastify reads as nothing; every other type Fastify refuses.
 */
async function judgeContentType({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (await isEmpty(raw)) {
    raw.headers['content-type'] = JSON_TYPE;
  } else if (isCoded(raw)) {
    // RFC 9110, section 15.5.16: so it says what would have been taken.
    reply.header('accept-encoding', 'identity');
    throw new Problem('unsupported_media_type', 'Send the body uncompressed, without a Content-Encoding.');
  }
}

function isPlainJson(request: IncomingMessage): boolean {
  return IS_JSON.test(request.headers['content-type'] ?? '') && !isCoded(request);
}

function isCoded({ headers }: IncomingMessage): boolean {
  return !NOTHING_DONE.test(headers['content-encoding'] ?? '');
}

/** Of a chunked body its first bytes, or its end, are waited for; they stay where they are. */
async function isEmpty(request: IncomingMessage): Promise<boolean> {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined) return Number(headers['content-length'] ?? 0) === 0;
  if (request.readableLength === 0 && !request.complete) await once(request, 'readable');
  return request.readableLength === 0;
}
