import { z } from 'zod';
import { createDocument, type oas31, type ZodOpenApiOperationObject } from 'zod-openapi';
import type { Route } from './route.js';

const PROBLEM_TITLES = {
  400: 'The request is not valid',
  401: 'No valid API key',
  403: 'This key may not do that',
  404: 'There is no such thing for this key',
  409: 'In conflict with the present state',
  413: 'The body is too large',
  415: 'The body is not application/json, or it is compressed',
  429: 'Too many requests with this key',
  431: 'The headers, or the path with its query, are too large',
  500: 'Something went wrong on our side',
  503: 'Overloaded, or the database cannot be reached; send the same request again',
} as const;

const problemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.uuid(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457. errors[].pointer is an RFC 6901 JSON pointer.' });

const idempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'The same key with the same body answers the first event again and creates nothing.' }),
});

/** OpenAPI 3.1, made from the schemas that validate. */
export function openApiDocument(routes: readonly Route[], version: string): oas31.OpenAPIObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Driftwire',
      version,
      description:
        'Delivers drift events to customer endpoints as signed webhooks: at least once, everything on record.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ apiKey: [] }],
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key.' } } },
    paths,
  });
}

function operation(route: Route): ZodOpenApiOperationObject {
  const { body, query, bodyRequired = true } = route;
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: `Who: ${route.access === 'platform' ? 'platform keys' : route.access.join(', ')}.`,
    requestParams: {
      ...(route.path.includes(':id') ? { path: z.object({ id: z.uuid() }) } : {}),
      ...(query === undefined ? {} : { query }),
      ...(route.takesIdempotencyKey ? { header: idempotencyHeader } : {}),
    },
    ...(body === undefined
      ? {}
      : { requestBody: { required: bodyRequired, content: { 'application/json': { schema: body } } } }),
    responses: { [`${route.success.status}`]: success(route), ...problems(route) },
  };
}

function success({ success: { description, schema } }: Route) {
  return schema === undefined ? { description } : { description, content: { 'application/json': { schema } } };
}

function problems(route: Route) {
  const statuses = [
    401,
    403,
    ...route.problems,
    ...(route.method === 'GET' ? [] : ([413, 415] as const)),
    429,
    431,
    500,
    503,
  ] as const;
  return Object.fromEntries(
    [...new Set(statuses)].map((status) => [
      `${status}`,
      { description: PROBLEM_TITLES[status], content: { 'application/problem+json': { schema: problemView } } },
    ]),
  );
}
