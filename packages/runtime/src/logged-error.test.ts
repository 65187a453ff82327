import { expect, test } from '@jest/globals';
import { loggedError } from './logged-error.js';

test('an error is logged without what a library hung on it', () => {
  const error = Object.assign(new Error('WRONGPASS'), {
    code: 'ERR_AUTH',
    command: { name: 'hello', args: ['3', 'AUTH', 'default', 'the-password'] },
    meta: { detail: 'Failing row contains (the-secret)' },
  });
  const logged = loggedError(new Error('outer', { cause: error }));
  expect(logged).toMatchObject({ message: 'outer', cause: { type: 'Error', message: 'WRONGPASS', code: 'ERR_AUTH' } });
  expect(JSON.stringify(logged)).not.toMatch(/the-password|the-secret/);
});

test('a cause that is no error is told where it is a text, and left out where it is an object', () => {
  expect(loggedError(new Error('outer', { cause: 'why' }))).toMatchObject({
    cause: { type: 'string', message: 'why' },
  });
  const row = new Error('outer', { cause: { detail: 'Failing row contains (the-secret)' } });
  expect(loggedError(row)).not.toHaveProperty('cause');
});

test('a chain of causes that never ends is cut', () => {
  const error = new Error('loop');
  error.cause = error;
  expect(JSON.stringify(loggedError(error)).match(/"loop"/g)).toHaveLength(6);
});

test.each([undefined, null, 'text', 7])('%p thrown as an error is logged', (thrown) => {
  expect(loggedError(thrown)).toEqual({ type: typeof thrown, message: String(thrown) });
});
