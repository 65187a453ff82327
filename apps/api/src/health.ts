import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

export type HealthDeps = {
  postgresAnswers: () => Promise<boolean>;
  /** More than an answer: a replica, a full Redis and one that lacks us a right answer every ping. */
  redisTakesJobs: () => Promise<boolean>;
  /** What else there is to say. Without the partitions of today no event can be stored. */
  remarks: () => { clock?: string; partitions?: string };
  registry: Registry;
};

/** Liveness, readiness and metrics: open, and without anybody's data. */
export function serveHealth(
  app: FastifyInstance,
  { postgresAnswers, redisTakesJobs, remarks, registry }: HealthDeps,
): void {
  app.get('/healthz', async () => ({ status: 'ok' }));

  // Ready without Redis: an event is accepted all the same, and its jobs are enqueued when Redis is back.
  app.get('/readyz', async (_request, reply) => {
    const [postgres, redis] = await Promise.all([postgresAnswers(), redisTakesJobs()]);
    const said = remarks();
    reply.code(postgres && said.partitions === undefined ? 200 : 503);
    return { postgres: postgres ? 'ok' : 'down', redis: redis ? 'ok' : 'down', ...said };
  });

  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
