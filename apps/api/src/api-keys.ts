import { type ApiKey, auditAll, Prisma, Role } from '@driftwire/database';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { generateApiKey } from './api-key.js';
import { namedCustomer, pathId, scopeOf, scopeOfQuery } from './customer-scope.js';
import { customerIdField, displayName, instant } from './fields.js';
import { newId } from './new-id.js';
import { answerPage, listSchema, pageQuery } from './page.js';
import { invalid, notFound } from './problem.js';
import { parse, parseQuery, readJson } from './request-body.js';
import type { Route } from './route.js';

const keyInput = (now: () => Date) =>
  z
    .strictObject({
      customer_id: customerIdField,
      role: z.enum(Role, 'must be admin, producer or viewer'),
      name: displayName,
      expires_at: instant
        .refine((time) => Date.parse(time) > now().getTime(), 'must be in the future')
        .nullable()
        .optional(),
    })
    .meta({ id: 'ApiKeyInput' });

const keyView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid().nullable(),
    role: z.enum(Role),
    name: z.string(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'To within some seconds.' }),
  })
  .meta({ id: 'ApiKey', description: 'Without a customer it is a platform key.' });
const newKeyView = keyView
  .extend({ key: z.string().meta({ description: 'The key itself. Shown this once.' }) })
  .meta({ id: 'NewApiKey' });
const listQuery = z.strictObject(pageQuery);

const tag = 'API keys';

export function apiKeyRoutes(deps: ApiDeps): Route[] {
  return [createApiKey(deps), listApiKeys(deps), revokeApiKey(deps)];
}

function createApiKey({ prisma, findCustomer, now }: ApiDeps): Route {
  const input = keyInput(now);
  return {
    tag,
    access: ['admin'],
    method: 'POST',
    path: '/v1/api-keys',
    operationId: 'createApiKey',
    summary: 'Create an API key',
    body: input,
    success: { status: 201, description: 'The key, shown this once.', schema: newKeyView },
    problems: [400, 404],
    handle: async ({ caller, actor, bodyBytes }) => {
      const { value } = readJson(bodyBytes);
      const customerId = await namedCustomer({ findCustomer }, caller, value);
      const posted = parse(input, value);
      refusePlatformRole(customerId, posted.role);
      const id = newId(now);
      const { key, secretHash } = generateApiKey(id);
      const expiresAt = posted.expires_at ? new Date(posted.expires_at) : null;
      const { role, name } = posted;
      const [created] = await prisma.$transaction([
        prisma.apiKey.create({ data: { id, customerId, role, name, secretHash, expiresAt, createdAt: now() } }),
        auditAll(
          prisma,
          { ...actor, action: 'api_key.created', detail: { name, role } },
          Prisma.sql`SELECT ${id}::uuid AS id, ${customerId}::uuid AS customer_id`,
        ),
      ]);
      return { status: 201, body: { ...viewKey(created), key } };
    },
  };
}

function listApiKeys({ prisma, cursors }: ApiDeps): Route {
  return {
    tag,
    access: ['admin'],
    method: 'GET',
    path: '/v1/api-keys',
    operationId: 'listApiKeys',
    summary: 'List API keys, newest first',
    query: listQuery,
    success: { status: 200, description: 'A page.', schema: listSchema(keyView) },
    problems: [400, 404],
    handle: async ({ caller, query }) => {
      const scope = scopeOfQuery(caller, query);
      const asked = parseQuery(listQuery, query);
      return answerPage(cursors, asked, {
        find: ({ where, ...page }) => prisma.apiKey.findMany({ where: { ...where, ...scope }, ...page }),
        view: viewKey,
      });
    },
  };
}

function revokeApiKey({ prisma, now }: ApiDeps): Route {
  return {
    tag,
    access: ['admin'],
    method: 'DELETE',
    path: '/v1/api-keys/:id',
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    success: { status: 204, description: 'The key is no longer accepted.' },
    problems: [404],
    handle: async ({ caller, actor, id }) => {
      const { customerId = null } = scopeOf(caller);
      const keyId = pathId(id, 'API key');
      const where = { id: keyId, ...scopeOf(caller), revokedAt: null };
      const [, { count }] = await prisma.$transaction([
        auditAll(
          prisma,
          { ...actor, action: 'api_key.revoked' },
          Prisma.sql`
            SELECT id, customer_id FROM api_keys
            WHERE id = ${keyId}::uuid AND (${customerId}::uuid IS NULL OR customer_id = ${customerId}::uuid)
              AND revoked_at IS NULL FOR NO KEY UPDATE`,
        ),
        prisma.apiKey.updateMany({ where, data: { revokedAt: now() } }),
      ]);
      if (count === 0) throw notFound('API key');
      return { status: 204 };
    },
  };
}

function refusePlatformRole(customerId: string | null, role: Role): void {
  if (customerId !== null || role === 'admin') return;
  throw invalid([{ pointer: '/role', detail: 'must be admin for a platform key; name a customer_id for other roles' }]);
}

function viewKey(key: ApiKey) {
  return {
    id: key.id,
    customer_id: key.customerId,
    role: key.role,
    name: key.name,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}
