import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AttemptFacts, decide, type RetryPolicy, type Transition } from './decide.js';
import type { Outcome, OutcomeKind } from './outcome.js';

const HOUR_MS = 3_600_000;
const policy: RetryPolicy = { maxAttempts: 3, baseDelayMs: 120_000 };

type Row = { rule: string; outcome: Outcome; failedCount?: number; jitter?: number; transition: Transition };

const rows: Row[] = [
  { rule: '2xx is success', outcome: response(200), transition: { to: 'success' } },
  { rule: 'every 2xx is success', outcome: response(299), transition: { to: 'success' } },
  {
    rule: 'a 2xx on the last attempt is success',
    outcome: response(204),
    failedCount: 2,
    transition: { to: 'success' },
  },
  { rule: '410 ends the delivery and deactivates the endpoint', outcome: response(410), transition: failed('gone') },
  {
    rule: '410 on the last attempt is gone, not exhausted',
    outcome: response(410),
    failedCount: 2,
    transition: failed('gone'),
  },
  { rule: 'a blocked address fails at once', outcome: without('blocked'), transition: failed('blocked') },
  {
    rule: 'blocked on the last attempt is blocked',
    outcome: without('blocked'),
    failedCount: 2,
    transition: failed('blocked'),
  },
  { rule: 'the first failed attempt waits the base delay', outcome: response(500), transition: retrying(120_000) },
  { rule: 'the second waits twice as long', outcome: response(500), failedCount: 1, transition: retrying(240_000) },
  { rule: 'jitter adds up to 20 %', outcome: response(500), jitter: 1, transition: retrying(144_000) },
  {
    rule: 'the third failed attempt exhausts the round',
    outcome: response(500),
    failedCount: 2,
    transition: failed('exhausted'),
  },
  {
    rule: 'no retry after more failures than the cap',
    outcome: response(500),
    failedCount: 7,
    transition: failed('exhausted'),
  },
  { rule: 'a redirect is a failed attempt', outcome: response(301), transition: retrying(120_000) },
  { rule: '304 is a failed attempt', outcome: response(304), transition: retrying(120_000) },
  { rule: '4xx is retried', outcome: response(404), transition: retrying(120_000) },
  { rule: '1xx as final status is retried', outcome: response(101), transition: retrying(120_000) },
  { rule: 'a timeout is retried', outcome: without('timeout'), transition: retrying(120_000) },
  { rule: 'a DNS failure is retried', outcome: without('dns'), transition: retrying(120_000) },
  { rule: 'a refused connection is retried', outcome: without('refused'), transition: retrying(120_000) },
  { rule: 'a reset is retried', outcome: without('reset'), transition: retrying(120_000) },
  { rule: 'a bad certificate is retried', outcome: without('tls'), transition: retrying(120_000) },
  { rule: 'a malformed answer is retried', outcome: without('protocol'), transition: retrying(120_000) },
  {
    rule: 'the third timeout exhausts the round',
    outcome: without('timeout'),
    failedCount: 2,
    transition: failed('exhausted'),
  },
  { rule: '429 with Retry-After stretches the delay', outcome: response(429, 600_000), transition: retrying(600_000) },
  { rule: '503 with Retry-After stretches the delay', outcome: response(503, 600_000), transition: retrying(600_000) },
  { rule: 'Retry-After never shortens the delay', outcome: response(429, 1000), transition: retrying(120_000) },
  { rule: 'Retry-After of zero changes nothing', outcome: response(503, 0), transition: retrying(120_000) },
  { rule: '429 without Retry-After waits as usual', outcome: response(429), transition: retrying(120_000) },
  { rule: 'Retry-After stretches to an hour at most', outcome: response(429, 1e15), transition: retrying(HOUR_MS) },
  { rule: 'Retry-After on another status is ignored', outcome: response(500, 600_000), transition: retrying(120_000) },
  {
    rule: 'Retry-After buys no fourth attempt',
    outcome: response(429, 60_000),
    failedCount: 2,
    transition: failed('exhausted'),
  },
];

test.each(rows)('$rule', ({ outcome, failedCount = 0, jitter = 0, transition }) => {
  expect(decide(outcome, { failedCount, jitter }, policy)).toEqual(transition);
});

test('500, 500, 500: two growing waits, then exhausted, no fourth attempt', () => {
  expect(roundOf([500, 500, 500, 500])).toEqual([retrying(120_000), retrying(240_000), failed('exhausted')]);
});

test('500, 500, 200: success on the third attempt', () => {
  expect(roundOf([500, 500, 200])).toEqual([retrying(120_000), retrying(240_000), { to: 'success' }]);
});

test('a cap of one means no retry', () => {
  expect(decide(response(500), { failedCount: 0, jitter: 0 }, { ...policy, maxAttempts: 1 })).toEqual(
    failed('exhausted'),
  );
});

test('a base longer than an hour is not cut by the hour', () => {
  const slow = { maxAttempts: 3, baseDelayMs: 3 * HOUR_MS };
  expect(decide(response(429, 0), { failedCount: 0, jitter: 1 }, slow)).toEqual(retrying(3 * HOUR_MS));
});

test('every delay is a whole number of milliseconds within [base, max(1 h, base)]', () => {
  fc.assert(
    fc.property(anOutcome(), someFacts(), aPolicy(), (outcome, facts, anyPolicy) => {
      const transition = decide(outcome, facts, anyPolicy);
      const delayMs = transition.to === 'retrying' ? transition.delayMs : anyPolicy.baseDelayMs;
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(anyPolicy.baseDelayMs);
      expect(delayMs).toBeLessThanOrEqual(Math.max(HOUR_MS, anyPolicy.baseDelayMs));
    }),
  );
});

test('success exactly for 2xx, deactivation exactly for 410, never a retry beyond the cap', () => {
  fc.assert(
    fc.property(anOutcome(), someFacts(), aPolicy(), (outcome, facts, anyPolicy) => {
      const transition = decide(outcome, facts, anyPolicy);
      const status = outcome.kind === 'response' ? outcome.status : 0;
      expect(transition.to === 'success').toBe(status >= 200 && status < 300);
      expect(transition.to === 'failed' && transition.deactivateEndpoint).toBe(status === 410);
      if (facts.failedCount + 1 >= anyPolicy.maxAttempts) expect(transition.to).not.toBe('retrying');
    }),
  );
});

/** The transitions of one round whose attempts are answered with these statuses; it ends where the delivery ends. */
function roundOf(statuses: readonly number[]): Transition[] {
  const transitions: Transition[] = [];
  for (const status of statuses) {
    const transition = decide(response(status), { failedCount: transitions.length, jitter: 0 }, policy);
    transitions.push(transition);
    if (transition.to !== 'retrying') break;
  }
  return transitions;
}

function response(status: number, retryAfterMs: number | null = null): Outcome {
  return { kind: 'response', status, retryAfterMs };
}

function without(kind: Exclude<OutcomeKind, 'response'>): Outcome {
  return { kind, error: kind };
}

function retrying(delayMs: number): Transition {
  return { to: 'retrying', delayMs };
}

function failed(reason: 'exhausted' | 'gone' | 'blocked'): Transition {
  return { to: 'failed', reason, deactivateEndpoint: reason === 'gone' };
}

function anOutcome(): fc.Arbitrary<Outcome> {
  const kinds = ['timeout', 'dns', 'refused', 'reset', 'tls', 'protocol', 'blocked', 'unknown'] as const;
  const status = fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(200, 410, 429, 503));
  return fc.oneof(
    fc.record({ kind: fc.constant('response' as const), status, retryAfterMs: fc.option(fc.maxSafeNat()) }),
    fc.record({ kind: fc.constantFrom(...kinds), error: fc.string() }),
  );
}

function someFacts(): fc.Arbitrary<AttemptFacts> {
  return fc.record({ failedCount: fc.nat({ max: 100 }), jitter: fc.double({ min: 0, max: 1, noNaN: true }) });
}

function aPolicy(): fc.Arbitrary<RetryPolicy> {
  return fc.record({
    maxAttempts: fc.integer({ min: 1, max: 20 }),
    baseDelayMs: fc.integer({ min: 1, max: 5 * HOUR_MS }),
  });
}
