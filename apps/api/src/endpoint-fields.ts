import type { Endpoint, EndpointFlow } from '@driftwire/database';
import {
  type AddressPolicy,
  customHeaderProblem,
  isSecret,
  isSubscriptionPattern,
  urlProblem,
} from '@driftwire/delivery';
import { z } from 'zod';
import { circuitView, viewCircuit } from './circuit.js';
import { customerIdField, displayName } from './fields.js';

const MAX_EVENT_TYPES = 100;
const MAX_HEADERS = 20;
const REDACTED = '[redacted]';

const IN_FLIGHT = 'must be a whole number from 1 to 1000, or null for no limit';
const PER_SECOND = 'must be a number from 0.1 to 10000, or null for no limit';

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
    max_in_flight: z
      .int({ error: IN_FLIGHT, abort: true })
      .min(1, IN_FLIGHT)
      .max(1_000, IN_FLIGHT)
      .nullable()
      .meta({ description: 'Requests at once, over all workers. Null: as many as fit.' }),
    max_per_second: z
      .number(PER_SECOND)
      .min(0.1, PER_SECOND)
      .max(10_000, PER_SECOND)
      .nullable()
      .meta({ description: 'Requests a second, over all workers, evenly spaced. Null: as many as come.' }),
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
      max_in_flight: fields.max_in_flight.default(null),
      max_per_second: fields.max_per_second.default(null),
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
    max_in_flight: z.int().nullable(),
    max_per_second: z.number().nullable(),
    circuit: circuitView,
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

/** With its one row of `endpoint_flow`, or none. */
export type EndpointWithFlow = Endpoint & { flow: EndpointFlow[] };

/** `now` by the database's clock, which ends a rotation's overlap and a probe's time. */
export function viewEndpoint(endpoint: EndpointWithFlow, now: Date) {
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
    max_in_flight: endpoint.maxInFlight,
    max_per_second: endpoint.maxPerSecond,
    circuit: viewCircuit(endpoint.flow[0], now),
    version: endpoint.version,
    headers: Object.fromEntries(endpoint.headerNames.map((name) => [name, REDACTED])),
    previous_secret_expires_at: overlapEndsAt && overlapEndsAt > now ? overlapEndsAt.toISOString() : null,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}
