import { expect, test } from '@jest/globals';
import { isSuccess } from './outcome.js';

const response = (status: number) => ({ kind: 'response' as const, status, retryAfterMs: null });

test.each([200, 201, 204, 299])('%i is success', (status) => {
  expect(isSuccess(response(status))).toBe(true);
});

test.each([100, 101, 199, 300, 301, 304, 400, 410, 500, 599])('%i is no success', (status) => {
  expect(isSuccess(response(status))).toBe(false);
});

test('an attempt without a response is no success', () => {
  expect(isSuccess({ kind: 'timeout', error: 'no answer within 15 s' })).toBe(false);
});
