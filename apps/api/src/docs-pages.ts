import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';
import type { Route } from './route.js';

export type DocsOptions = { routes: readonly Route[]; version: string };

/** `/openapi.json` for machines, `/docs` for people; open, and without anybody's data. */
export async function serveDocs(app: FastifyInstance, { routes, version }: DocsOptions): Promise<void> {
  const json = JSON.stringify(openApiDocument(routes, version));
  app.get('/openapi.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(json));
  await app.register(swagger, { mode: 'static', specification: { document: JSON.parse(json) } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    theme: { title: 'Driftwire API', css: [{ filename: 'theme.css', content: '.topbar { display: none }' }] },
    uiConfig: { url: '/openapi.json', docExpansion: 'list', defaultModelsExpandDepth: 0 },
  });
}
