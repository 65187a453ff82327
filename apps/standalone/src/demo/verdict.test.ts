import { expect, test } from '@jest/globals';
import { properEvidence } from '../../test/demo-evidence.js';
import type { DeliveryWithAttempts } from './public-api.js';
import type { ReceivedWebhook } from './receiver.js';
import type { Evidence } from './story.js';
import { findFaults } from './verdict.js';

const STORY = 'Seattle winter 8.0 → 10.9 °C';

test('a demo in which every story went as it should has no faults', () => {
  expect(findFaults(properEvidence())).toEqual([]);
});

test('no drift at all would prove nothing', () => {
  expect(findFaults({ events: [], witnesses: [], deliveries: [] })).toEqual([
    'the data set shows no drift: there was nothing to deliver',
  ]);
});

test.each<[string, (delivery: DeliveryWithAttempts) => void, string]>([
  [
    'success that should be failed',
    (it) => Object.assign(it, { status: 'success', failure_reason: null }),
    'ended as success, not as failed/exhausted',
  ],
  [
    'another reason',
    (it) => Object.assign(it, { failure_reason: 'gone' }),
    'ended as failed/gone, not as failed/exhausted',
  ],
  [
    'still retrying',
    (it) => Object.assign(it, { status: 'retrying', failure_reason: null }),
    'ended as retrying, not as failed/exhausted',
  ],
  [
    'a fourth attempt',
    ({ attempts }) => attempts.push({ number: 4, outcome: 'response', response_code: 500 }),
    'went 500 → 500 → 500 → 500, not 500 → 500 → 500',
  ],
  ['two attempts', ({ attempts }) => attempts.pop(), 'went 500 → 500, not 500 → 500 → 500'],
  [
    'an attempt without an answer',
    ({ attempts }) => attempts.splice(2, 1, { number: 3, outcome: 'timeout', response_code: null }),
    'went 500 → 500 → timeout, not 500 → 500 → 500',
  ],
  ['a count that is wrong', (it) => Object.assign(it, { attempt_count: 2 }), 'counts 2 attempts and has 3 on record'],
])('on record: %s', (_, spoil, fault) => {
  const evidence = properEvidence();
  spoil(failingDelivery(evidence));
  expect(findFaults(evidence)).toContain(`${STORY}, failing: ${fault}`);
});

test.each<[string, (received: ReceivedWebhook[]) => void, string]>([
  [
    'a signature that is wrong',
    ([, second]) => Object.assign(second ?? {}, { signatureProblem: 'no match' }),
    'attempt 2: no match',
  ],
  [
    'another webhook-id on a retry',
    ([, , third]) => Object.assign(third ?? {}, { webhookId: 'other' }),
    "attempt 3: webhook-id is other, not the event's id",
  ],
  [
    'another request_id on a retry',
    ([, , third]) => Object.assign(third ?? {}, { requestId: 'other' }),
    "attempt 3: metadata.request_id is other, not the event's",
  ],
  [
    'an attempt that never arrived',
    (received) => received.splice(1, 1),
    'the receiver answered 500 → 500, the record says 500 → 500 → 500',
  ],
])('at the receiver: %s', (_, spoil, fault) => {
  const evidence = properEvidence();
  spoil(failingWitness(evidence).received);
  expect(findFaults(evidence)).toContain(`${STORY}, failing: ${fault}`);
});

test('a delivery that is missing, and one too many', () => {
  const evidence = properEvidence();
  failingDelivery(evidence).endpoint_id = 'another';
  expect(findFaults(evidence)).toEqual([
    'delivery event-0-failing should not exist',
    `${STORY}, failing: there is no delivery`,
    'failing got 12 requests, and 9 attempts are on record',
  ]);
});

test('a request that belongs to no delivery', () => {
  const evidence = properEvidence();
  const [healthy] = evidence.witnesses;
  const [first] = healthy?.received ?? [];
  if (first) healthy?.received.push({ ...first, deliveryId: 'unknown' });
  expect(findFaults(evidence)).toEqual([
    'healthy got 9 requests, and 8 attempts are on record',
    'healthy accepted 9, and 8 are on record as success',
  ]);
});

function failingDelivery({ deliveries }: Evidence): DeliveryWithAttempts {
  return found(deliveries.find(({ id }) => id === 'event-0-failing'));
}

function failingWitness({ witnesses }: Evidence) {
  return found(witnesses.find(({ role }) => role.name === 'failing'));
}

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('not in the evidence');
  return thing;
}
