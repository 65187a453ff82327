import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Producer } from '@driftwire/queue';
import type { FastifyInstance } from 'fastify';
import { type Authenticate, authorize, basicPassword, bearerToken } from './access.js';
import { answerProblem, problemOf } from './error-mapping.js';

const BASE_PATH = '/queues';
/** Makes a browser ask for the key. */
const BASIC_CHALLENGE = 'Basic realm="driftwire", charset="UTF-8"';
/** Nothing from elsewhere: bull-board would load its font from a third party, who would learn of every visit. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** bull-board over the delivery queue, for platform keys only; read-only, because Postgres is the truth and not Redis. */
export async function serveDashboard(
  app: FastifyInstance,
  queue: Producer['queue'],
  authenticate: Authenticate,
): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(BASE_PATH);
  createBullBoard({
    queues: [new BullMQAdapter(queue, { readOnlyMode: true, description: 'One job per unfinished delivery' })],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Driftwire' } },
  });

  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      try {
        const { authorization } = request.headers;
        authorize(await authenticate(bearerToken(authorization) ?? basicPassword(authorization)), 'platform');
      } catch (error) {
        // Answered here: bull-board's own error handler would call it a 500.
        return answerProblem(reply.header('www-authenticate', BASIC_CHALLENGE), problemOf(error));
      }
    });
    await scope.register(serverAdapter.registerPlugin(), { prefix: BASE_PATH });
  });
}
