import { expect, test } from '@jest/globals';
import { questionsOf } from './list-queries.js';

test('every filter is asked alone and in pairs, matching many, few and none', () => {
  const filters = ['status', 'event_type'].map((name) => ({ name, many: 'm', few: 'f', none: 'n' }));
  const asked = questionsOf(filters).map((question) => question.map(({ name, value }) => `${name}=${value}`).join('&'));
  expect(asked).toEqual([
    ...['status=m', 'status=f', 'status=n', 'event_type=m', 'event_type=f', 'event_type=n'],
    ...['status=m&event_type=m', 'status=m&event_type=f', 'status=m&event_type=n'],
    ...['status=f&event_type=m', 'status=f&event_type=f', 'status=f&event_type=n'],
    ...['status=n&event_type=m', 'status=n&event_type=f', 'status=n&event_type=n'],
  ]);
});
