import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Schema } from './schema-values.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
export type Parameter = { name: string; in: 'path' | 'query' | 'header'; schema: Schema };

/** An operation of `/openapi.json`: what may be sent, and how each status it documents must look. */
export type Operation = {
  operationId: string;
  method: Method;
  path: string;
  parameters: Parameter[];
  body: Schema | undefined;
  /** By status. */
  answers: Map<number, DocumentedAnswer>;
};

export type DocumentedAnswer = {
  /** Undefined: there is no body. */
  contentType: string | undefined;
  /** What is wrong with a body; null when it is as documented. */
  problemWith: (body: unknown) => string | null;
};

type Content = Record<string, { schema: Schema }>;
type OpenApiOperation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
};
export type OpenApiDocument = {
  paths: Record<string, Record<string, OpenApiOperation>>;
  components?: { schemas?: Record<string, Schema> };
};

const DOCUMENT_ID = 'urn:driftwire:openapi';

/** References into `components` are resolved, so that a schema stands for itself. */
export function operationsOf(document: OpenApiDocument): Operation[] {
  // OpenAPI's own words (`example`, `discriminator`) are not JSON Schema's: lenient, but for what validates.
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  ajv.addSchema(document, DOCUMENT_ID);
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      operationId: operation.operationId,
      method: method.toUpperCase() as Method,
      path,
      parameters: (operation.parameters ?? []).map((parameter) => ({
        ...parameter,
        schema: resolved(parameter.schema, document),
      })),
      body: bodySchema(operation, document),
      answers: new Map(
        Object.entries(operation.responses).map(([status, { content = {} }]): [number, DocumentedAnswer] => {
          const [contentType] = Object.keys(content);
          if (contentType === undefined) return [Number(status), { contentType, problemWith: mustBeEmpty }];
          const steps = ['paths', path, method, 'responses', status, 'content', contentType, 'schema'];
          const reference = `${DOCUMENT_ID}#/${steps.map(pointerStep).join('/')}`;
          return [Number(status), { contentType, problemWith: problemFinder(ajv, reference) }];
        }),
      ),
    })),
  );
}

function mustBeEmpty(body: unknown): string | null {
  return body === undefined ? null : 'has a body where none is documented';
}

function problemFinder(ajv: Ajv2020, $ref: string): (body: unknown) => string | null {
  const validate: ValidateFunction = ajv.compile({ $ref });
  return (body) => (validate(body) ? null : ajv.errorsText(validate.errors, { dataVar: 'body' }));
}

/** RFC 6901, and percent-encoded for a fragment. */
function pointerStep(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function bodySchema({ requestBody }: OpenApiOperation, document: OpenApiDocument): Schema | undefined {
  const [content] = Object.values(requestBody?.content ?? {});
  return content && resolved(content.schema, document);
}

function resolved(schema: Schema, document: OpenApiDocument): Schema {
  if (Array.isArray(schema)) return schema.map((item) => resolved(item, document)) as unknown as Schema;
  if (typeof schema !== 'object' || schema === null) return schema;
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return resolved(document.components?.schemas?.[name] ?? {}, document);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(value as Schema, document)]));
}
