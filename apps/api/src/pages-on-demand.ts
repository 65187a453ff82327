import { onDemand } from '@driftwire/runtime';
import type { FastifyInstance } from 'fastify';

export type Pages = {
  /** A route each, with everything below those that end in a star. */
  paths: readonly string[];
  /** An app that serves them: called at the first request for one of them, and again after it failed. */
  build: () => Promise<FastifyInstance>;
};

/**
 * Hands requests for pages to an app of their own that does not exist before somebody asks for one, because a start must
 * not wait for what only people look at. Before a byte of the body is read, and whatever the method: all else is the
 * pages' business, their 404 as well.
 */
export function servePagesOnDemand(app: FastifyInstance, { paths, build }: Pages): void {
  let built: FastifyInstance | undefined;
  const pages = onDemand(async () => {
    built = await build();
    await built.ready();
    return built;
  });
  app.addHook('onClose', () => built?.close());
  for (const path of paths) {
    app.all(path, {
      config: { isHandedOn: true },
      onRequest: async (request, reply) => {
        const { routing } = await pages();
        reply.hijack();
        routing(request.raw, reply.raw);
      },
      handler: () => {},
    });
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered by another app, which measures it. */
    isHandedOn?: true;
  }
}
