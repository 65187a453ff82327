import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Producer } from '@driftwire/queue';
import type { FastifyInstance } from 'fastify';
import { type Authenticate, authorize, basicPassword, bearerToken } from './access.js';

const BASE_PATH = '/queues';

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
      // So that a browser asks for the key; an API client sees the usual 401 as well.
      reply.header('www-authenticate', 'Basic realm="driftwire", charset="UTF-8"');
      const { authorization } = request.headers;
      authorize(await authenticate(bearerToken(authorization) ?? basicPassword(authorization)), 'platform');
      reply.removeHeader('www-authenticate');
    });
    await scope.register(serverAdapter.registerPlugin(), { prefix: BASE_PATH });
  });
}
