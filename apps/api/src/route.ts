import { type Actor, type RideOut, wasNeverSent } from '@driftwire/database';
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
  /** For how long it waits for a Postgres that is away, on a monotonic clock. */
  until: number;
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
  /** For a Postgres that is away, and only where it needs it. Every other route waits before it begins. */
  waitsItself?: boolean;
  success: { status: 200 | 201 | 202 | 204; description: string; schema?: z.ZodType };
  problems: readonly (400 | 404 | 409 | 413)[];
  handle: (call: Call) => Promise<Answer>;
};

const BODY_LIMIT = 64 * 1024;
/** From a request's arrival: as long as a Postgres takes to restart, and less than a client's patience. */
const RIDE_OUT_MS = 5_000;

export type RouteGuards = { authenticate: Authenticate; rideOut: RideOut };

/** Serves the routes. Authentication runs before the body is read: a stranger gets no byte of memory. */
export function registerRoutes(app: FastifyInstance, routes: readonly Route[], guards: RouteGuards): void {
  takeOnlyJson(app);
  budgetBodies(app);
  app.decorateRequest('caller', null);
  for (const route of routes) registerRoute(app, route, guards);
}

function registerRoute(app: FastifyInstance, route: Route, { authenticate, rideOut }: RouteGuards): void {
  // A write is done again only when it was never begun: repeated, a create or a rotation would lose a secret shown once.
  const mayRepeat = route.method === 'GET' ? () => true : wasNeverSent;
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.bodyLimit ?? BODY_LIMIT,
    onRequest: async (request, reply) => {
      const token = bearerToken(request.headers.authorization);
      const caller = await authenticate(token, rideOutUntil(reply));
      authorize(caller, route.access);
      request.caller = caller;
    },
    handler: async (request, reply) => {
      const call = callOf(request, reply);
      const handle = () => route.handle(call);
      return send(reply, route.waitsItself ? await handle() : await rideOut(handle, { ...call, mayRepeat }));
    },
  });
}

function rideOutUntil({ elapsedTime }: FastifyReply): number {
  return performance.now() - elapsedTime + RIDE_OUT_MS;
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
    until: rideOutUntil(reply),
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
