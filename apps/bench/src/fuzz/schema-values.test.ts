import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { bent, goodValue, type Schema } from './schema-values.js';

const SCHEMA: Schema = {
  type: 'object',
  required: ['id', 'items'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    at: { type: 'string', format: 'date-time' },
    kind: { enum: ['a', 'b'] },
    share: { anyOf: [{ type: 'number', minimum: 0, maximum: 1 }, { type: 'null' }] },
    items: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 3, maximum: 9 } },
    name: { type: 'string', minLength: 3, maxLength: 5 },
  },
  additionalProperties: false,
};
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const isValid = ajv.compile(SCHEMA);
const seed = { seed: 1, numRuns: 300 };

test('good values are what the schema allows', () => {
  for (const value of fc.sample(goodValue(SCHEMA, {}), seed)) expect([value, isValid(value)]).toEqual([value, true]);
});

test('a hint stands for every member of its name', () => {
  const named = fc.sample(goodValue(SCHEMA, { name: fc.constant('hint') }), seed) as { name?: string }[];
  expect(new Set(named.map(({ name }) => name))).toEqual(new Set(['hint', undefined]));
});

test('most bent values are not, and all of them can be sent', () => {
  const values = fc.sample(bent(goodValue(SCHEMA, {})), seed);
  expect(values.filter((value) => !isValid(value)).length).toBeGreaterThan(200);
  for (const value of values) expect(() => JSON.stringify(value)).not.toThrow();
});
