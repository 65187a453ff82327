import { expect, test } from '@jest/globals';
import { invalid, Problem, problemBody } from './problem.js';

test('a problem is answered with the members of RFC 9457 and ours', () => {
  expect(problemBody(new Problem('name_taken', 'Take another.'), 'id')).toEqual({
    type: 'urn:driftwire:problem:name_taken',
    title: 'This name is taken',
    status: 409,
    detail: 'Take another.',
    code: 'name_taken',
    request_id: 'id',
  });
});

test('the detail tells the first violation in words and counts the others; errors lists them all', () => {
  const violations = [
    { pointer: '/name', detail: 'must not be empty' },
    { pointer: '/url', detail: 'must be a URL' },
  ] as const;
  const body = problemBody(invalid(violations), 'id');
  expect(body.detail).toBe('/name must not be empty (and 1 more).');
  expect(body).toHaveProperty('errors', violations);
});

test('a violation of the whole reads as a sentence', () => {
  expect(invalid([{ pointer: '', detail: 'must be an object' }]).detail).toBe('The request must be an object.');
});
