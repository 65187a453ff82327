import { expect, test } from '@jest/globals';
import { problemWith } from './judge.js';
import { operationsOf } from './operations.js';
import type { FuzzAnswer } from './send.js';

const problem = { type: 'object', required: ['status'], properties: { status: { type: 'integer' } } };
const problemAnswer = { content: { 'application/problem+json': { schema: problem } } };
const [read, remove] = operationsOf({
  paths: {
    '/v1/things/{id}': {
      get: {
        operationId: 'read',
        responses: {
          '200': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          '401': problemAnswer,
        },
      },
      delete: { operationId: 'remove', responses: { '204': {}, '401': problemAnswer } },
    },
  },
  components: {
    schemas: { Thing: { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } } },
  },
});
if (read === undefined || remove === undefined) throw new Error('an operation is missing');

const answer = (status: number, body: unknown, contentType = 'application/json; charset=utf-8'): FuzzAnswer => ({
  ...{ kind: 'answer', status, contentType, requestId: 'r' },
  text: body === undefined ? '' : JSON.stringify(body),
});
const PROBLEM = 'application/problem+json';
const ID = '01890000-0000-7000-8000-000000000000';

test.each([
  ['what is documented', answer(200, { id: ID }), read],
  ['a documented problem', answer(401, { status: 401 }, PROBLEM), read],
  ['an answer without a body', answer(204, undefined, ''), remove],
  ['a 404, which a hostile path may always get', answer(404, { status: 404 }, PROBLEM), remove],
])('%s is in order', (_, given, operation) => {
  expect(problemWith(given, operation)).toBeNull();
});

test.each<[string, FuzzAnswer, RegExp]>([
  ['no answer', { kind: 'none', reason: 'socket hang up' }, /^no answer: socket hang up$/],
  ['a 500', answer(500, { status: 500 }, PROBLEM), /^500: /],
  ['a status that is not documented', answer(418, { status: 418 }, PROBLEM), /^418 is not documented/],
  ['another content type', answer(200, { id: ID }, 'text/html'), /^200 as text\/html, not application\/json$/],
  ['a member that is missing', answer(200, {}), /^200 not as documented: body must have required property 'id'/],
  ['a member that is of another format', answer(200, { id: 'x' }), /^200 not as documented: .*format "uuid"/],
  ['a body that is no JSON', { ...answer(200, {}), text: '{' } as FuzzAnswer, /^200 not as documented/],
  [
    "a library's own words",
    answer(401, { status: 401, detail: 'The request Invalid input: expected object, received null.' }, PROBLEM),
    /^401 in a library's own words, "Invalid input"/,
  ],
  ['no request id', { ...answer(200, { id: ID }), requestId: undefined } as FuzzAnswer, /without an X-Request-Id/],
])('%s is a finding', (_, given, finding) => {
  expect(problemWith(given, read)).toMatch(finding);
});

test('a body where none is documented is a finding', () => {
  expect(problemWith(answer(204, {}), remove)).toMatch(/has a body where none is documented/);
});
