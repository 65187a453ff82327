import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Producer } from '@driftwire/queue';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authenticate, authorize, basicPassword, bearerToken } from './access.js';
import { answerProblem, problemOf } from './error-mapping.js';
import { Problem } from './problem.js';

const BASE_PATH = '/queues';
/** Makes a browser ask for the key. */
const BASIC_CHALLENGE = 'Basic realm="driftwire", charset="UTF-8"';
const REDIS_AWAY =
  'The queue is kept in Redis, which does not answer now. Nothing is lost: deliveries are kept in Postgres, and go on when it is back.';
const LOOK_AGAIN_S = 5;
/** Nothing from elsewhere: bull-board would load its font from a third party, who would learn of every visit. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

export type DashboardOptions = {
  authenticate: Authenticate;
  /** Unless told otherwise, because Postgres is the truth and not Redis: what is done to a job here, no delivery knows of. */
  isReadOnly: boolean;
};

/** bull-board over the delivery queue, for platform keys only. */
export async function serveDashboard(
  app: FastifyInstance,
  { queue, answers }: Pick<Producer, 'queue' | 'answers'>,
  { authenticate, isReadOnly }: DashboardOptions,
): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(BASE_PATH);
  createBullBoard({
    queues: [
      new BullMQAdapter(queue, {
        readOnlyMode: isReadOnly,
        description: 'A job carries one delivery, or several that were accepted together; Postgres counts deliveries',
      }),
    ],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Driftwire' } },
  });

  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      try {
        const { authorization } = request.headers;
        authorize(await authenticate(bearerToken(authorization) ?? basicPassword(authorization), 0), 'platform');
        refuseOtherSites(request);
        if (!(await answers())) throw new Problem('redis_unavailable', REDIS_AWAY);
      } catch (error) {
        // Answered here: bull-board's own error handler would call it a 500.
        return answerRefusal(reply, problemOf(error));
      }
    });
    await scope.register(serverAdapter.registerPlugin(), { prefix: BASE_PATH });
  });
}

function answerRefusal(reply: FastifyReply, problem: Problem): FastifyReply {
  const isForPeople = reply.request.headers.accept?.includes('text/html') === true;
  if (problem.code === 'redis_unavailable' && isForPeople) return answerPage(reply, problem);
  return answerProblem(reply.header('www-authenticate', BASIC_CHALLENGE), problem);
}

/** Looks again by itself, so that whoever left it open sees when Redis is back. */
function answerPage(reply: FastifyReply, { status, detail }: Problem): FastifyReply {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="${LOOK_AGAIN_S}">
<title>Driftwire</title><h1>Redis does not answer</h1><p>${detail}</p></html>`;
  return reply.code(status).header('retry-after', LOOK_AGAIN_S).type('text/html').send(page);
}

/** A browser that once was told the key sends it for every site that asks: only our own page may change anything. */
function refuseOtherSites({ method, headers }: FastifyRequest): void {
  const { 'sec-fetch-site': site = 'same-origin' } = headers;
  if (['GET', 'HEAD'].includes(method) || site === 'same-origin') return;
  throw new Problem('forbidden', 'Another site may not change anything here.');
}
