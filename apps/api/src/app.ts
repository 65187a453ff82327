import type { Producer } from '@driftwire/queue';
import type { Log } from '@driftwire/runtime';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Registry } from 'prom-client';
import { type AuthenticateOptions, createAuthenticate } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { apiRoutes } from './api-routes.js';
import { answerClientError } from './client-error.js';
import { commonHeaders } from './common-headers.js';
import { answerProblem, mapErrors, problemOf } from './error-mapping.js';
import { type HealthDeps, serveHealth } from './health.js';
import { uuidv7 } from './new-id.js';
import { servePagesOnDemand } from './pages-on-demand.js';
import type { RateLimitOptions } from './rate-limit.js';
import { measureRequests, type ObserveRequest } from './request-metrics.js';
import { registerRoutes } from './route.js';

export type AppOptions = AuthenticateOptions & {
  deps: ApiDeps;
  /** Null for no limit. */
  rateLimit: RateLimitOptions | null;
  dashboardIsReadOnly: boolean;
  version: string;
  registry: Registry;
  log: Log;
  producer: Pick<Producer, 'queue' | 'answers'>;
  redisTakesJobs: () => Promise<boolean>;
  postgresAnswers: () => Promise<boolean>;
  remarks: HealthDeps['remarks'];
};

/** A whole request, headers and body; a client that drips is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for clients that have had their time. */
const TIMEOUT_CHECK_MS = 5_000;
const MAX_PARAM_LENGTH = 100;

/** The whole HTTP side: the API, its documentation, the dashboard, health and metrics. Not yet listening. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { deps, log, producer, registry } = options;
  const observe = measureRequests(registry);
  const app = createBareApp(log, observe, NO_SCHEMAS);
  serveHealth(app, options);

  const routes = apiRoutes(deps);
  const authenticate = createAuthenticate(options);
  servePagesOnDemand(app, {
    paths: ['/openapi.json', '/docs', '/docs/*'],
    build: async () => {
      const { serveDocs } = await import('./docs-pages.js');
      const pages = createBareApp(log, observe);
      await serveDocs(pages, { routes, version: options.version });
      return pages;
    },
  });
  servePagesOnDemand(app, {
    paths: ['/queues', '/queues/*'],
    build: async () => {
      const { serveDashboard } = await import('./dashboard.js');
      const pages = createBareApp(log, observe);
      await serveDashboard(pages, producer, { authenticate, isReadOnly: options.dashboardIsReadOnly });
      return pages;
    },
  });
  await app.register(async (api) => {
    if (options.rateLimit !== null) {
      const { limitRate } = await import('./rate-limit.js');
      limitRate(api, options.rateLimit);
    }
    registerRoutes(api, routes, { authenticate, rideOut: deps.rideOut });
  });
  return app;
}

/** zod validates, and the compilers of Fastify's own schemas are a tenth of a start. Pages of others may have schemas. */
const NO_SCHEMAS: FastifyServerOptions = {
  schemaController: { compilersFactory: { buildValidator: () => refuseSchema, buildSerializer: () => refuseSchema } },
};

function refuseSchema(): never {
  throw new Error('no route of this app has a schema of Fastify');
}

/** What every answer has in common; no routes. */
function createBareApp(log: Log, observe: ObserveRequest, more: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify({
    ...more,
    logger: false,
    genReqId: () => uuidv7(Date.now()),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node takes the shorter of these two for the headers and the longer for the whole request, whichever is called what.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    // Before any hook: the path itself is refused.
    frameworkErrors: (error, request, reply) =>
      answerProblem(reply.headers(commonHeaders(request.id)), problemOf(error)),
  });
  // Hooks that wait for nothing are done at once: a promise for each of them is work in every request.
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(commonHeaders(request.id));
    done();
  });
  mapErrors(app, log);
  app.addHook('onResponse', (request, reply, done) => {
    if (!request.routeOptions.config.isHandedOn) observe(request, reply);
    done();
  });
  return app;
}
