import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  eventTypePattern,
  isReservedEventType,
  isSubscriptionPattern,
  subscriptionPattern,
  subscriptionPatterns,
} from './subscription.js';

test.each([
  ['drift.a.b', ['*', 'drift.*', 'drift.a.*', 'drift.a.b']],
  ['drift.a', ['*', 'drift.*', 'drift.a']],
  ['drift', ['*', 'drift']],
])('%s reaches the subscriptions %j', (eventType, patterns) => {
  expect(subscriptionPatterns(eventType)).toEqual(patterns);
});

test('drift.* does not match drift', () => {
  expect(subscriptionPatterns('drift')).not.toContain('drift.*');
});

test.each(['drift', 'drift.created', 'drift.a_1.b', '1.2', 'a'.repeat(128)])('%s is an event type', (text) => {
  expect(eventTypePattern.test(text)).toBe(true);
});

test.each([
  '',
  '.',
  'drift.',
  '.drift',
  'a..b',
  'Drift',
  'drift-a',
  'drift a',
  'drift.*',
  '*',
  'drift\n',
  'é',
  'a'.repeat(129),
])('%j is no event type', (text) => {
  expect(eventTypePattern.test(text)).toBe(false);
});

test.each(['*', 'drift', 'drift.*', 'drift.created', 'drift.a.*'])('%s is a subscription', (text) => {
  expect(isSubscriptionPattern(text)).toBe(true);
});

test.each(['', '**', '*.*', '*.created', 'drift*', 'drift.*.a', 'drift.**', '.*', 'Drift.*', `${'a'.repeat(127)}.*`])(
  '%j is no subscription',
  (text) => {
    expect(isSubscriptionPattern(text)).toBe(false);
  },
);

test('webhook.* is reserved, and nothing else', () => {
  expect(['webhook.test', 'webhook.a.b'].every(isReservedEventType)).toBe(true);
  expect(['webhook', 'webhooks.a', 'drift.webhook.a'].some(isReservedEventType)).toBe(false);
});

test('whatever an event type may reach, an endpoint may subscribe to, once', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){0,8}$/), (eventType) => {
      const patterns = subscriptionPatterns(eventType);
      expect(patterns.every((pattern) => subscriptionPattern.test(pattern))).toBe(true);
      expect(new Set(patterns).size).toBe(patterns.length);
    }),
  );
});
