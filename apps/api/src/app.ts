import type { Producer } from '@driftwire/queue';
import type { Log } from '@driftwire/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { type AuthenticateOptions, createAuthenticate } from './access.js';
import type { ApiDeps } from './api-dependencies.js';
import { apiRoutes } from './api-routes.js';
import { answerClientError } from './client-error.js';
import { commonHeaders } from './common-headers.js';
import { serveDashboard } from './dashboard.js';
import { serveDocs } from './docs-pages.js';
import { answerProblem, mapErrors, problemOf } from './error-mapping.js';
import { type HealthDeps, serveHealth } from './health.js';
import { openApiDocument } from './openapi.js';
import { limitRate, type RateLimitOptions } from './rate-limit.js';
import { measureRequests } from './request-metrics.js';
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
  const app = Fastify({
    logger: false,
    genReqId: () => uuidv7(),
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
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(commonHeaders(request.id));
  });
  mapErrors(app, log);
  measureRequests(app, registry);
  const { postgresAnswers, remarks } = options;
  serveHealth(app, { postgresAnswers, redisAnswers: producer.answers, remarks, registry });

  const routes = apiRoutes(deps);
  const authenticate = createAuthenticate(options);
  await serveDocs(app, openApiDocument(routes, options.version));
  await serveDashboard(app, producer.queue, { authenticate, isReadOnly: options.dashboardIsReadOnly });
  await app.register(async (api) => {
    if (options.rateLimit !== null) limitRate(api, options.rateLimit);
    registerRoutes(api, routes, authenticate);
  });
  return app;
}
