import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createByteBudget, type Hold } from './byte-budget.js';

const MIB = 1024 * 1024;
/** A body up to this size is a small one: a single event, or a modest batch. */
const SMALL_BYTES = 256 * 1024;
/** What a request costs beside its body. */
const OVERHEAD_BYTES = 4 * 1024;
/** Small bodies and large ones have their own, so that a storm of batches leaves single events their way. */
const FOR_SMALL = { capacity: 48 * MIB, maxWaiting: 1_000, waitMs: 5_000 };
/** A large body costs over ten times its size while it is worked on; two of 8 MiB keep Postgres busy. */
const FOR_LARGE = { capacity: 16 * MIB + 2 * OVERHEAD_BYTES, maxWaiting: 128, waitMs: 5_000 };

/**
 * Bounds what all requests together hold in memory. Bytes are taken before a body is read (until then it waits in its sender's
 * and the kernel's buffers) and given back when the request is answered. After authentication and the rate limit, so that
 * neither a stranger nor a key over its share takes any.
 */
export function budgetBodies(app: FastifyInstance): void {
  const small = createByteBudget(FOR_SMALL);
  const large = createByteBudget(FOR_LARGE);
  app.decorateRequest('bodyHold', null);
  app.addHook('preParsing', (request, { raw }, _payload, done) => {
    const bytes = expectedBytes(request);
    const budget = bytes > SMALL_BYTES ? large : small;
    const taken = budget.take(bytes + OVERHEAD_BYTES, () => goneSignal(raw));
    const goOn = (hold: Hold) => {
      request.bodyHold = untilAnswered(hold, raw);
      done();
    };
    if (taken instanceof Promise) taken.then(goOn, done);
    else goOn(taken);
  });
  app.addHook('onSend', ({ bodyHold }, _reply, _payload, done) => {
    bodyHold?.answered();
    done();
  });
}

/** As long as it says it is, or as it may become. What is longer than it may be is refused unread. */
function expectedBytes({ raw: { headers }, routeOptions: { bodyLimit } }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return bodyLimit;
  const length = Number(headers['content-length'] ?? 0);
  return length > bodyLimit ? 0 : length;
}

function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** A client that leaves does not end the work that its request has begun, nor the end of the work the answer's way. */
function untilAnswered(hold: Hold, response: ServerResponse): BodyHold {
  let isAnswered = false;
  let isClosed = response.destroyed;
  const releaseAtLast = () => isAnswered && isClosed && hold.release();
  response.once('close', () => {
    isClosed = true;
    releaseAtLast();
  });
  return {
    bytesAre: (bytes) => hold.shrinkTo(bytes + OVERHEAD_BYTES),
    answered: () => {
      isAnswered = true;
      releaseAtLast();
    },
  };
}

export type BodyHold = {
  /** Told when the body is there. */
  bytesAre: (bytes: number) => void;
  answered: () => void;
};

declare module 'fastify' {
  interface FastifyRequest {
    bodyHold: BodyHold | null;
  }
}
