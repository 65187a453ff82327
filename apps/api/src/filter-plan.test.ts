import { expect, test } from '@jest/globals';
import { planFilters } from './filter-plan.js';

const INDEXES = { bySelectivity: ['event_id', 'status', 'event_type'], alone: ['event_id'] } as const;
const plan = (customerId: string | undefined, filters: object) => planFilters(customerId, filters, INDEXES);

test.each([
  ['nothing', {}, { customer_id: 'c' }, {}],
  ['one filter', { status: 'failed' }, { customer_id: 'c', status: 'failed' }, {}],
  ['what was not given', { status: undefined, event_type: 'a' }, { customer_id: 'c', event_type: 'a' }, {}],
  [
    'the more selective of two',
    { event_type: 'a', status: 'failed' },
    { customer_id: 'c', status: 'failed' },
    { event_type: 'a' },
  ],
  [
    'an index without the customer',
    { event_id: 'e', status: 'x' },
    { event_id: 'e' },
    { status: 'x', customer_id: 'c' },
  ],
])('for a customer: %s', (_, filters, indexed, residual) => {
  expect(plan('c', filters)).toEqual({ indexed, residual });
});

test.each([
  ['nothing', {}, {}, {}],
  ['a filter whose index begins with the customer', { status: 'failed' }, {}, { status: 'failed' }],
  ['an index without the customer', { event_id: 'e', status: 'x' }, { event_id: 'e' }, { status: 'x' }],
])('for all customers: %s', (_, filters, indexed, residual) => {
  expect(plan(undefined, filters)).toEqual({ indexed, residual });
});
