import { expect, test } from '@jest/globals';
import type { AttemptRow, DeliveryRow, ReceivedRequest } from './evidence.js';
import { anAttempt, goodHistory } from './good-history.js';
import { judge } from './judge.js';

type History = ReturnType<typeof goodHistory>;

test('a history in which every promise was kept has no violation', () => {
  expect(judge(goodHistory())).toEqual([]);
});

test('a history in which nothing happened has no violation', () => {
  const nothing = {
    acknowledged: [],
    eventIds: [],
    deliveries: [],
    attempts: [],
    endpoints: [],
    circuits: [],
    requests: [],
    orphans: [],
  };
  expect(judge({ ...goodHistory(), ...nothing })).toEqual([]);
});

test.each<[string, (history: History) => void, string]>([
  [
    'an acknowledged event that is not there',
    (it) => remove(it.eventIds, (id) => id === 'event of gone'),
    'event 3 (event of gone) is not in the database',
  ],
  [
    'an acknowledged delivery that is not there',
    (it) => it.acknowledged[3]?.deliveryIds.push('another'),
    'event 3 (event of gone) has deliveries gone, and another, gone were acknowledged',
  ],
  [
    'a delivery more than was acknowledged',
    (it) => it.acknowledged[3]?.deliveryIds.pop(),
    'event 3 (event of gone) has deliveries gone, and none were acknowledged',
  ],
  [
    'an event nobody was told of',
    (it) => it.eventIds.push('stray'),
    'event stray is in the database and was never acknowledged',
  ],
  [
    'a delivery that never ends',
    (it) => change(delivery(it, 'cancelled'), { status: 'retrying', failureReason: null, completedAt: null }),
    'delivery cancelled is still retrying after 0 starts',
  ],
  [
    'a delivery that is held for ever',
    (it) =>
      change(delivery(it, 'cancelled'), {
        status: 'pending',
        failureReason: null,
        completedAt: null,
        holdReason: 'crowded',
      }),
    'delivery cancelled is still held (crowded)',
  ],
  [
    'a request for a delivery nobody knows',
    (it) => it.requests.push({ ...request(it, 'gone', 1), deliveryId: 'stray' }),
    'receiver got a request for delivery stray, which does not exist',
  ],
  [
    'a success the receiver knows nothing of',
    (it) => change(request(it, 'delivered', 2), { status: 500 }),
    'delivery delivered ended success, but its receiver never answered 2xx',
  ],
  [
    'exhausted too early',
    (it) => change(attempt(it, 'exhausted', 4), { outcome: 'unknown' }),
    'delivery exhausted ended failed/exhausted, but 2 attempts are on record as failed, not 3',
  ],
  [
    'gone without a 410',
    (it) => change(attempt(it, 'gone', 1), { responseCode: 404 }),
    'delivery gone ended failed/gone, but no attempt was answered 410',
  ],
  [
    'blocked without a blocked attempt',
    (it) => change(attempt(it, 'blocked', 1), { outcome: 'refused' }),
    'delivery blocked ended failed/blocked, but no attempt was blocked',
  ],
  [
    'indeterminate before ten starts',
    (it) => removeLast(it, 'indeterminate', 10),
    'delivery indeterminate ended failed/indeterminate, but 9 attempts were started, not 10',
  ],
  [
    'cancelled though the endpoint is active',
    (it) => change(it.endpoints[1], { isActive: true }),
    'delivery cancelled ended cancelled/endpoint_inactive, but its endpoint is active',
  ],
  [
    'a failure for no known reason',
    (it) => change(delivery(it, 'gone'), { failureReason: 'bored' }),
    'delivery gone ended failed/bored, but that is no reason to fail',
  ],
  [
    'a second attempt within the lease of an unknown one',
    (it) => change(attempt(it, 'repeated', 2), { startedAt: attempt(it, 'repeated', 1).startedAt + 21_000 }),
    'delivery repeated: attempt 2 started 1000 ms too early after attempt 1 (unknown)',
  ],
  [
    'a second attempt before the first had ended',
    (it) => change(attempt(it, 'delivered', 1), { durationMs: 30_000, startedAt: 43_000 }),
    'delivery delivered: attempt 2 started 20980 ms too early after attempt 1 (response)',
  ],
  [
    'two requests open at once',
    (it) => {
      change(request(it, 'delivered', 1), { endedAt: null });
      change(request(it, 'delivered', 2), { arrivedAt: 32_010 });
    },
    'delivery delivered: request 2 arrived 12000 ms too early, while request 1 was open',
  ],
  [
    'a request that is not on record',
    (it) => it.requests.push({ ...request(it, 'delivered', 2), number: 3, status: 500 }),
    'delivery delivered: request 3 arrived and no attempt 3 is on record',
  ],
  [
    'an attempt sent twice',
    (it) => it.requests.push({ ...request(it, 'gone', 1) }),
    'delivery gone: attempt 1 was sent more than once',
  ],
  [
    'an attempt sent three times',
    (it) => it.requests.push({ ...request(it, 'delivered', 2), status: 500 }),
    'delivery delivered: attempt 2 was sent more than once',
  ],
  [
    "another webhook-id than the event's",
    (it) => change(request(it, 'delivered', 2), { webhookId: 'other' }),
    'delivery delivered: request 2 carried webhook-id other, not event of delivered',
  ],
  [
    'a gap in the numbers',
    (it) => change(attempt(it, 'delivered', 2), { number: 3 }),
    'delivery delivered has attempts 1, 3, not 1 to 2',
  ],
  [
    'a fourth failure',
    (it) => it.attempts.push(anAttempt('exhausted', 5, { responseCode: 500 })),
    'delivery exhausted failed 4 times in round 1, and 3 is the most',
  ],
  [
    'a fourth failure in a round that was over',
    (it) => {
      it.attempts.push(anAttempt('exhausted', 5, { responseCode: 500 }));
      change(delivery(it, 'exhausted'), { round: 2 });
    },
    'delivery exhausted failed 4 times in round 1, and 3 is the most',
  ],
  [
    'more requests at once than allowed',
    (it) => it.requests.push({ ...request(it, 'gone', 1), number: 2 }),
    'receiver had 6 requests at once, and 5 is the most (1970-01-01T00:00:22.015Z)',
  ],
  [
    'a request while those of a dead worker are still open',
    (it) => {
      for (const id of FIVE) change(request(it, id, 1), { overAt: null });
      it.requests.push(aRequest(it, { arrivedAt: attempt(it, 'gone', 1).startedAt + 20_000 }));
    },
    'receiver had 6 requests at once, and 5 is the most (1970-01-01T00:00:42.010Z)',
  ],
  [
    'more requests a second than allowed',
    (it) => it.requests.push(aRequest(it, { number: 2, arrivedAt: attempt(it, 'gone', 1).startedAt + 900 })),
    'receiver got 6 requests within a second, and 5 is the most (1970-01-01T00:00:22.910Z)',
  ],
  [
    'a probe while one is out',
    (it) => {
      const { startedAt } = attempt(it, 'indeterminate', 6);
      it.attempts.push(anAttempt('gone', 2, { startedAt: startedAt + 1_000 }));
    },
    'the circuit of receiver was open, and attempt 2 of delivery gone began while attempt 6 of delivery indeterminate was out',
  ],
  [
    'an attempt that goes on beside probes',
    (it) => {
      const { startedAt } = attempt(it, 'indeterminate', 6);
      it.attempts.push(anAttempt('gone', 2, { startedAt: startedAt - 1_000, durationMs: 2_000 }));
    },
    'the circuit of receiver was open, and attempt 6 of delivery indeterminate began while attempt 2 of delivery gone was out',
  ],
  [
    'rows that refer to what is not there',
    (it) => it.orphans.push({ what: 'attempts without their delivery', orphans: 2, examples: ['gone', 'blocked'] }),
    'there are 2 attempts without their delivery, for example gone, blocked',
  ],
  [
    'a repeat after a known success',
    (it) => change(attempt(it, 'repeated', 1), { outcome: 'response', responseCode: 200 }),
    'delivery repeated was answered 2xx 2 times; only one of attempts 1 (response), 2 (response) may have a known outcome',
  ],
  [
    'a repeat after an ordinary timeout',
    (it) => change(attempt(it, 'repeated', 1), { outcome: 'timeout', durationMs: 2_050 }),
    'delivery repeated was answered 2xx 2 times; only one of attempts 1 (timeout), 2 (response) may have a known outcome',
  ],
])('found: %s', (_, spoil, sentence) => {
  const history = goodHistory();
  spoil(history);
  expect(judge(history).map((violation) => violation.sentence)).toContain(sentence);
});

test.each<[string, (history: History) => void]>([
  [
    'a start 200 ms before the lease ended, for clocks differ',
    (it) => change(attempt(it, 'repeated', 2), { startedAt: attempt(it, 'repeated', 1).startedAt + 21_800 }),
  ],
  [
    'a zombie that ends long after its lease',
    (it) => change(attempt(it, 'repeated', 1), { responseCode: 200, durationMs: 40_000 }),
  ],
  [
    'a repeat after an answer that came after the timeout',
    (it) => {
      const { startedAt } = attempt(it, 'repeated', 1);
      change(attempt(it, 'repeated', 1), { outcome: 'timeout', durationMs: 2_050 });
      change(request(it, 'repeated', 1), { overAt: startedAt + 2_001, endedAt: startedAt + 2_060 });
    },
  ],
  [
    'a request beside those that a frozen worker has left open for longer than their leases',
    (it) => {
      for (const id of FIVE) change(request(it, id, 1), { overAt: null });
      anotherAttempt(it, attempt(it, 'gone', 1).startedAt + 22_001);
    },
  ],
  [
    'a request that comes when the receiver, which is behind, has not yet noticed that others hung up',
    (it) => {
      for (const id of FIVE)
        change(request(it, id, 1), { overAt: request(it, id, 1).arrivedAt + 1_100, endedAt: null });
      anotherAttempt(it, attempt(it, 'gone', 1).startedAt + 1_150);
    },
  ],
  [
    'a request that was begun long before it came',
    (it) => {
      const { startedAt } = attempt(it, 'gone', 1);
      anotherAttempt(it, startedAt - 600);
      change(request(it, 'cancelled', 1), { arrivedSince: startedAt + 500, arrivedAt: startedAt + 501 });
    },
  ],
  [
    'requests that were read together and may have come apart',
    (it) => {
      const { startedAt } = attempt(it, 'gone', 1);
      anotherAttempt(it, startedAt + 500);
      change(request(it, 'cancelled', 1), { arrivedSince: startedAt - 700 });
    },
  ],
  [
    'an attempt beside others that had been let go when the circuit opened',
    (it) => {
      it.circuits = [
        {
          endpointId: 'receiver',
          openedAt: attempt(it, 'gone', 1).startedAt - 2_900,
          closedAt: 40_000,
          isClosedByProbe: true,
        },
      ];
    },
  ],
])('no violation: %s', (_, change) => {
  const history = goodHistory();
  change(history);
  expect(judge(history)).toEqual([]);
});

/** Those whose first requests come together. */
const FIVE = ['delivered', 'repeated', 'exhausted', 'gone', 'indeterminate'];

/** One more, of the delivery that has none. */
function anotherAttempt(it: History, startedAt: number): void {
  change(delivery(it, 'cancelled'), { endpointId: 'receiver', status: 'success', failureReason: null });
  it.attempts.push(anAttempt('cancelled', 1, { startedAt }));
  it.requests.push(
    aRequest(it, { deliveryId: 'cancelled', webhookId: 'event of cancelled', arrivedAt: startedAt + 5 }),
  );
}

function aRequest(it: History, overrides: Partial<ReceivedRequest> & { arrivedAt: number }): ReceivedRequest {
  const { arrivedAt } = overrides;
  const times = { arrivedSince: arrivedAt - 2, overAt: arrivedAt + 5, endedAt: arrivedAt + 6, status: 200 };
  return { ...request(it, 'gone', 1), number: 1, ...times, ...overrides };
}

function delivery({ deliveries }: History, id: string): DeliveryRow {
  return found(deliveries.find((one) => one.id === id));
}

function attempt({ attempts }: History, id: string, number: number): AttemptRow {
  return found(attempts.find((one) => one.deliveryId === id && one.number === number));
}

function request({ requests }: History, id: string, number: number): ReceivedRequest {
  return found(requests.find((one) => one.deliveryId === id && one.number === number));
}

function removeLast({ attempts, requests }: History, id: string, number: number): void {
  remove<AttemptRow>(attempts, (one) => one.deliveryId === id && one.number === number);
  remove<ReceivedRequest>(requests, (one) => one.deliveryId === id && one.number === number);
}

function change<T extends object>(thing: T | undefined, changes: Partial<T>): void {
  Object.assign(found(thing), changes);
}

function remove<T>(things: T[], isGuilty: (thing: T) => boolean): void {
  things.splice(things.findIndex(isGuilty), 1);
}

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('not in the history');
  return thing;
}
