import fc from 'fast-check';
import { hostileValue } from './hostile-values.js';

/** The part of JSON Schema (2020-12) that zod writes. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean | Schema;
};

/** What a schema cannot say: values for members of these names that the API takes. */
export type Hints = Record<string, fc.Arbitrary<unknown>>;

const MAX_ITEMS = 4;

/** Values that the schema allows, and the hints make likely to be accepted. */
export function goodValue(schema: Schema, hints: Hints, name = ''): fc.Arbitrary<unknown> {
  const hint = hints[name];
  if (hint !== undefined) return hint;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => goodValue(choice, hints, name)));
  if (schema.allOf !== undefined) return goodValue(Object.assign({}, ...schema.allOf), hints, name);
  const type = Array.isArray(schema.type) ? (schema.type[0] ?? 'null') : schema.type;
  switch (type) {
    case 'object':
      return goodObject(schema, hints);
    case 'array':
      return goodArray(schema, hints, name);
    case 'string':
      return goodText(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000, 1_000_000) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function goodObject({ properties = {}, required = [] }: Schema, hints: Hints): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, schema]) => [name, goodValue(schema, hints, name)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: required.filter((name) => name in properties) });
}

function goodArray({ items = {}, minItems = 0, maxItems = MAX_ITEMS }: Schema, hints: Hints, name: string) {
  const most = Math.max(minItems, Math.min(maxItems, MAX_ITEMS));
  return fc.array(goodValue(items, hints, name), { minLength: minItems, maxLength: most });
}

function goodText({ format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') {
    return fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
      .map((at) => at.toISOString());
  }
  return fc.string({ minLength: Math.max(1, minLength), maxLength: Math.max(1, minLength, Math.min(maxLength, 40)) });
}

/** A value with one part, or itself, replaced, left out or added to. */
export function bent(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(value, fc.nat(), fc.constantFrom('replace', 'leave out', 'add'), hostileValue)
    .map(([whole, place, how, hostile]) => bendAt(whole, place, how, hostile));
}

type Bend = 'replace' | 'leave out' | 'add';

function bendAt(whole: unknown, place: number, how: Bend, hostile: unknown): unknown {
  if (typeof whole !== 'object' || whole === null) return hostile;
  const names = Object.keys(whole);
  if (names.length === 0 || how === 'add') return added(whole, hostile);
  const name = names[place % names.length] ?? '';
  const copy: Record<string, unknown> = Array.isArray(whole) ? ([...whole] as never) : { ...whole };
  const rest = Math.floor(place / names.length);
  // Every second time one level further down.
  if (rest % 2 === 1) copy[name] = bendAt(copy[name], Math.floor(rest / 2), how, hostile);
  else if (how === 'leave out') delete copy[name];
  else copy[name] = hostile;
  return copy;
}

function added(whole: object, hostile: unknown): unknown {
  return Array.isArray(whole) ? [...whole, hostile] : { ...whole, unexpected: hostile };
}
