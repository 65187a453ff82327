import { auditAll, type Customer, Prisma, type PrismaClient } from '@driftwire/database';
import { z } from 'zod';
import type { ApiDeps } from './api-dependencies.js';
import { pathId } from './customer-scope.js';
import { displayName } from './fields.js';
import { newId } from './new-id.js';
import { answerPage, listSchema, pageQuery } from './page.js';
import { notFound } from './problem.js';
import { parse, parseQuery, readJson } from './request-body.js';
import type { Route } from './route.js';

const customerInput = z.strictObject({ name: displayName }).meta({ id: 'CustomerInput' });
const customerView = z
  .object({ id: z.uuid(), name: z.string(), created_at: z.iso.datetime() })
  .meta({ id: 'Customer', description: 'The tenant that owns endpoints, drift events and keys.' });
const { customer_id: _, ...customerPage } = pageQuery;
const listQuery = z.strictObject(customerPage);

const tag = 'Customers';

export function customerRoutes(deps: ApiDeps): Route[] {
  return [createCustomer(deps), listCustomers(deps), getCustomer(deps)];
}

function createCustomer({ prisma, now }: ApiDeps): Route {
  return {
    tag,
    access: 'platform',
    method: 'POST',
    path: '/v1/customers',
    operationId: 'createCustomer',
    summary: 'Create a customer',
    body: customerInput,
    success: { status: 201, description: 'The customer.', schema: customerView },
    problems: [400],
    handle: async ({ actor, bodyBytes }) => {
      const { name } = parse(customerInput, readJson(bodyBytes).value);
      const id = newId(now);
      const [customer] = await prisma.$transaction([
        prisma.customer.create({ data: { id, name, createdAt: now() } }),
        auditAll(
          prisma,
          { ...actor, action: 'customer.created', detail: { name } },
          Prisma.sql`SELECT ${id}::uuid AS id, ${id}::uuid AS customer_id`,
        ),
      ]);
      return { status: 201, body: viewCustomer(customer) };
    },
  };
}

function listCustomers({ prisma, cursors }: ApiDeps): Route {
  return {
    tag,
    access: 'platform',
    method: 'GET',
    path: '/v1/customers',
    operationId: 'listCustomers',
    summary: 'List customers, newest first',
    query: listQuery,
    success: { status: 200, description: 'A page.', schema: listSchema(customerView) },
    problems: [400],
    handle: async ({ query }) => {
      const asked = parseQuery(listQuery, query);
      return answerPage(cursors, asked, { find: (page) => prisma.customer.findMany(page), view: viewCustomer });
    },
  };
}

function getCustomer({ prisma }: ApiDeps): Route {
  return {
    tag,
    access: 'platform',
    method: 'GET',
    path: '/v1/customers/:id',
    operationId: 'getCustomer',
    summary: 'Read a customer',
    success: { status: 200, description: 'The customer.', schema: customerView },
    problems: [404],
    handle: async ({ id }) => {
      const customer = await prisma.customer.findUnique({ where: { id: pathId(id, 'customer') } });
      if (customer === null) throw notFound('customer');
      return { status: 200, body: viewCustomer(customer) };
    },
  };
}

/** The id, when there is such a customer. */
export async function findCustomerId(prisma: PrismaClient, id: string): Promise<string | null> {
  const customer = await prisma.customer.findUnique({ where: { id }, select: { id: true } });
  return customer?.id ?? null;
}

function viewCustomer({ id, name, createdAt }: Customer) {
  return { id, name, created_at: createdAt.toISOString() };
}
