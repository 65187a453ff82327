import type { Actor } from '@driftwire/database';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Access, type Authenticate, actorOf, authorize, bearerToken, type Caller } from './access.js';
import { budgetBodies } from './body-budget.js';
import { takeOnlyJson } from './content-type.js';

/** One call of a route: who calls, and the request's parts, unread. Handlers read what they need, in the public order. */
export type Call = {
  caller: Caller;
  /** The caller as the audit log knows it. */
  actor: Actor;
  /** The `:id` of the path, as sent. */
  id: string;
  query: unknown;
  /** Undefined without a body. */
  bodyBytes: Buffer | undefined;
  idempotencyKey: string | string[] | undefined;
  /** Counts the events of a batch against the key's share. */
  chargeEvents: (events: number) => Promise<void>;
};

/** `json` is a text already, because `data` goes out as it came in; everything else is a plain object. */
export type Answer = { status: number; headers?: Record<string, string>; body?: object; json?: string };

/**
 * A route is data: `registerRoutes` serves it, openapi.ts documents it, and tests walk the list. `access` is the whole
 * authorization; the order of the checks is 401, 403 (here), then 404, 400, 409 (in the handler).
 */
export type Route = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  tag: string;
  operationId: string;
  summary: string;
  access: Exclude<Access, 'open'>;
  query?: z.ZodObject;
  body?: z.ZodType;
  bodyRequired?: boolean;
  bodyLimit?: number;
  takesIdempotencyKey?: boolean;
  success: { status: 200 | 201 | 202 | 204; description: string; schema?: z.ZodType };
  problems: readonly (400 | 404 | 409 | 413)[];
  handle: (call: Call) => Promise<Answer>;
};

const BODY_LIMIT = 64 * 1024;

/** Serves the routes. Authentication runs before the body is read: a stranger gets no byte of memory. */
export function registerRoutes(app: FastifyInstance, routes: readonly Route[], authenticate: Authenticate): void {
  takeOnlyJson(app);
  budgetBodies(app);
  app.decorateRequest('caller', null);
  for (const route of routes) registerRoute(app, route, authenticate);
}

function registerRoute(app: FastifyInstance, route: Route, authenticate: Authenticate): void {
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.bodyLimit ?? BODY_LIMIT,
    onRequest: async (request) => {
      const caller = await authenticate(bearerToken(request.headers.authorization));
      authorize(caller, route.access);
      request.caller = caller;
    },
    handler: async (request, reply) => send(reply, await route.handle(callOf(request, reply))),
  });
}

function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  if (request.caller === null) throw new Error('a route was served without authentication');
  const { id = '' } = idParameter(request.params);
  return {
    caller: request.caller,
    actor: actorOf(request.caller, request.id),
    id,
    query: request.query,
    bodyBytes: Buffer.isBuffer(request.body) ? request.body : undefined,
    idempotencyKey: request.headers['idempotency-key'],
    chargeEvents: async (events) => request.chargeEvents?.(events, reply),
  };
}

function idParameter(params: unknown): { id?: string } {
  const isRecord = typeof params === 'object' && params !== null && 'id' in params;
  return isRecord && typeof params.id === 'string' ? { id: params.id } : {};
}

function send(reply: FastifyReply, { status, headers = {}, body, json }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  if (body === undefined && json === undefined) return reply.send();
  return reply.type('application/json; charset=utf-8').send(json ?? JSON.stringify(body));
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}
