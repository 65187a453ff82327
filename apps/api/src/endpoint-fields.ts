import type { Endpoint } from '@driftwire/database';
import {
  type AddressPolicy,
  customHeaderProblem,
  isSecret,
  isSubscriptionPattern,
  urlProblem,
} from '@driftwire/delivery';
import { z } from 'zod';
import { customerIdField, displayName } from './fields.js';

const MAX_EVENT_TYPES = 100;
const MAX_HEADERS = 20;
const REDACTED = '[redacted]';

/** `z.record` drops a `__proto__` without a word, so the headers are judged before it sees them. */
const customHeaders = z
  .preprocess(
    (headers, context) => {
      if (typeof headers !== 'object' || headers === null) return headers;
      for (const { name, problem } of headerProblems(headers)) {
        context.addIssue({ code: 'custom', path: [name], message: problem });
      }
      return headers;
    },
    z
      .record(z.string(), z.string())
      .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, `must have at most ${MAX_HEADERS} entries`),
  )
  .meta({ description: 'Sent with every webhook. Values are stored encrypted and never shown again.' });

/** The schemas depend on what addresses this installation allows. */
export function endpointSchemas(policy: AddressPolicy) {
  const fields = {
    name: displayName,
    url: z.string('must be a URL').superRefine((url, context) => {
      const problem = urlProblem(url, policy);
      if (problem !== null) context.addIssue(unacceptableUrl(problem).detail);
    }),
    event_types: z
      .array(z.string().refine(isSubscriptionPattern, 'must be "*", an event type, or a prefix like "drift.*"'))
      .min(1, 'must name at least one event type; "*" means all')
      .max(MAX_EVENT_TYPES, `must have at most ${MAX_EVENT_TYPES} entries`),
    min_severity: z
      .number('must be a number from 0 to 1')
      .min(0, 'must be from 0 to 1')
      .max(1, 'must be from 0 to 1')
      .nullable()
      .meta({ description: 'Only drift events at least this severe. Null: all.' }),
    active: z.boolean('must be true or false'),
    on_hold: z.boolean('must be true or false').meta({
      description:
        'While true its deliveries are accepted and wait, unsent (`hold_reason` `on_hold`); they follow when it is false again.',
    }),
    headers: customHeaders,
  };
  const create = z
    .strictObject({
      customer_id: customerIdField,
      ...fields,
      event_types: fields.event_types.default(['*']),
      min_severity: fields.min_severity.default(null),
      active: fields.active.default(true),
      on_hold: fields.on_hold.default(false),
      headers: fields.headers.default({}),
      secret: z
        .string()
        .refine(isSecret, 'must be whsec_ and the base64 of 24 to 64 bytes')
        .optional()
        .meta({ description: 'Made for you unless given.' }),
    })
    .meta({ id: 'EndpointInput' });
  const change = z.strictObject(fields).partial().meta({ id: 'EndpointChange' });
  return { create, change };
}

/** `problem` is a sentence. */
export function unacceptableUrl(problem: string) {
  return { pointer: '/url', detail: `is not acceptable: ${problem.replace(/\.$/, '')}` };
}

export type EndpointSchemas = ReturnType<typeof endpointSchemas>;
export type EndpointInput = z.infer<EndpointSchemas['create']>;
export type EndpointChange = z.infer<EndpointSchemas['change']>;

function* headerProblems(headers: object): Generator<{ name: string; problem: string }> {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const problem = headerProblem(name, value) ?? (seen.has(name.toLowerCase()) ? 'is given twice' : null);
    if (problem !== null) yield { name, problem };
    seen.add(name.toLowerCase());
  }
}

function headerProblem(name: string, value: unknown): string | null {
  return typeof value === 'string' ? customHeaderProblem(name, value) : 'must be a text';
}

export const endpointView = z
  .object({
    id: z.uuid(),
    customer_id: z.uuid(),
    name: z.string(),
    url: z.string(),
    event_types: z.array(z.string()),
    min_severity: z.number().nullable(),
    active: z.boolean(),
    inactive_reason: z.enum(['paused', 'gone']).nullable(),
    on_hold: z.boolean(),
    version: z.int().meta({ description: 'Rises with every change of the endpoint.' }),
    headers: z.record(z.string(), z.string()).meta({ description: 'Names only; the values are redacted.' }),
    previous_secret_expires_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Endpoint' });

export const endpointWithSecretView = endpointView
  .extend({ secret: z.string().meta({ description: 'whsec_…, shown this once.' }) })
  .meta({ id: 'EndpointWithSecret' });

/** `now` by the database's clock, which ends a rotation's overlap. */
export function viewEndpoint(endpoint: Endpoint, now: Date) {
  const overlapEndsAt = endpoint.previousSecretExpiresAt;
  return {
    id: endpoint.id,
    customer_id: endpoint.customerId,
    name: endpoint.name,
    url: endpoint.url,
    event_types: endpoint.eventTypes,
    min_severity: endpoint.minSeverity,
    active: endpoint.active,
    inactive_reason: endpoint.inactiveReason,
    on_hold: endpoint.onHold,
    version: endpoint.version,
    headers: Object.fromEntries(endpoint.headerNames.map((name) => [name, REDACTED])),
    previous_secret_expires_at: overlapEndsAt && overlapEndsAt > now ? overlapEndsAt.toISOString() : null,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}
