import { AuditActor, type AuditLine } from '@driftwire/database';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { scopeOfQuery } from './customer-scope.js';
import { given } from './given.js';
import { answerPage, listSchema, pageQuery } from './page.js';
import { parseQuery } from './request-body.js';
import type { Route } from './route.js';

const listQuery = z.strictObject({
  ...pageQuery,
  subject_id: z.uuid('must be the id of what was acted on').optional(),
});

const auditLineView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid().nullable(),
    actor: z.enum(AuditActor).meta({ description: 'driftwire: what a receiver answered has brought it about.' }),
    api_key_id: z.uuid().nullable().meta({ description: 'Of the key that acted.' }),
    action: z.string().meta({ examples: ['endpoint.secret_rotated'] }),
    subject_type: z.string(),
    subject_id: z.uuid(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    request_id: z.uuid().nullable().meta({ description: 'Of the HTTP request, as in its X-Request-Id.' }),
    created_at: z.iso.datetime(),
  })
  .meta({
    id: 'AuditLine',
    description: 'Who did what to which thing when. Written with the change, and never changed.',
  });

export function auditLogRoutes({ prisma, cursors }: ApiDeps): Route[] {
  return [
    {
      tag: 'Audit log',
      access: ['admin'],
      method: 'GET',
      path: '/v1/audit-log',
      operationId: 'listAuditLog',
      summary: 'List what was done to keys, customers, endpoints, secrets and deliveries, newest first',
      query: listQuery,
      success: { status: 200, description: 'A page.', schema: listSchema(auditLineView) },
      problems: [400, 404],
      handle: async ({ caller, query }) => {
        const scope = scopeOfQuery(caller, query);
        const asked = parseQuery(listQuery, query);
        const subject = given({ subjectId: asked.subject_id });
        return answerPage(cursors, asked, {
          find: ({ where, ...page }) =>
            prisma.auditLine.findMany({ where: { ...where, ...scope, ...subject }, ...page }),
          view: viewAuditLine,
        });
      },
    },
  ];
}

function viewAuditLine(line: AuditLine) {
  return {
    id: line.id,
    customer_id: line.customerId,
    actor: line.actor,
    api_key_id: line.actorKeyId,
    action: line.action,
    subject_type: line.subjectType,
    subject_id: line.subjectId,
    detail: line.detail,
    request_id: line.requestId,
    created_at: line.createdAt.toISOString(),
  };
}
