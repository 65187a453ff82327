import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { isPostgresUnavailable } from '@driftwire/database';
import type { Log } from '@driftwire/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, problemBody } from './problem.js';

const RETRY_AFTER_S = 2;
/** Not "nothing was stored": a connection can be lost between a commit and its answer. */
const UNAVAILABLE =
  'Whether anything was stored is not known. Send the same request again, with the same Idempotency-Key.';
const SHORT_REST_BYTES = 64 * 1024;
const LINGER_MS = 1_000;
/** Refused requests whose clients still write. */
let lingering = 0;

/** The one place where errors become answers, and the one place that logs them. */
export function mapErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      // An overload is for the sender to mend, and each of its many requests would say the same.
      const level = problem.code === 'overloaded' ? 'debug' : 'error';
      log[level]({ request_id: request.id, route: request.routeOptions.url, err: error }, `request.${problem.code}`);
    }
    return answerProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => answerProblem(reply, noSuchRoute(request)));
  // Before the body is read: a stranger gets no byte of memory for a path that does not exist.
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? noSuchRoute(request) : undefined);
  });
}

function noSuchRoute({ method, url }: FastifyRequest): Problem {
  return new Problem('not_found', `There is no ${method} ${url.split('?')[0]}.`);
}

export function answerProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer realm="driftwire"');
  }
  if (problem.status === 503) reply.header('retry-after', RETRY_AFTER_S);
  const body = JSON.stringify(problemBody(problem, reply.request.id));
  reply.code(problem.status).type('application/problem+json');
  if (!hasLongRest(reply.request.raw)) return reply.send(body);
  reply.header('connection', 'close').header('content-length', Buffer.byteLength(body));
  return reply.send(Readable.from(thenLinger(body, reply.request.raw)));
}

/**
 * True when much of the body, or nobody knows how much, is still to come: closing the connection is what stops it. A
 * short rest Node reads and drops by itself.
 */
function hasLongRest({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_REST_BYTES;
}

/**
 * The whole answer at once, and the end of the connection only when the client has finished writing or after a moment:
 * closed under a client that still writes, a connection is reset and the answer may be lost (RFC 9112, section 9.6).
 */
async function* thenLinger(body: string, request: IncomingMessage): AsyncGenerator<string> {
  yield body;
  lingering += 1;
  const restIsIn = finished(dropInTurns(request), { signal: AbortSignal.timeout(LINGER_MS), cleanup: true });
  await restIsIn.catch(() => {});
  lingering -= 1;
}

/**
 * About a chunk a millisecond, however many linger: of hundreds that are refused at once, Node would read MiB each
 * before anybody else has a turn.
 */
function dropInTurns(request: IncomingMessage): IncomingMessage {
  request.on('data', () => {
    request.pause();
    setTimeout(() => request.resume(), lingering);
  });
  return request.resume();
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isPostgresUnavailable(error)) {
    return new Problem('database_unavailable', UNAVAILABLE, { cause: error });
  }
  return transportProblem(error) ?? new Problem('internal_error', 'Nothing more can be said here.', { cause: error });
}

/** What Fastify refuses before a handler runs. */
function transportProblem(error: unknown): Problem | null {
  if (isClientGone(error)) return new Problem('invalid_request', 'The request ended early.');
  switch (errorCode(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body_too_large', 'Limits: 256 KiB for a drift event, 8 MiB for a batch, 64 KiB elsewhere.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported_media_type', 'Send the body as application/json.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Problem('not_found', 'The path holds an id that is none.');
    case 'FST_ERR_BAD_URL':
      return new Problem('invalid_request', 'The path is not valid: a % must be followed by two hexadecimal digits.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('invalid_request', 'The body is not as long as its Content-Length says.');
    default:
      return null;
  }
}

/** Node's word for a body that breaks off; a connection to a server of ours that breaks off reads differently. */
function isClientGone(error: unknown): boolean {
  return errorCode(error) === 'ECONNRESET' && error instanceof Error && error.message === 'aborted';
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
