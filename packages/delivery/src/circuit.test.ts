import { expect, test } from '@jest/globals';
import { evidenceOf, type FailureStreak, failedAgain, isFailing, opensCircuit } from './circuit.js';
import type { Outcome } from './outcome.js';

const POLICY = { afterFailures: 10, afterMs: 30_000 };
const answer = (status: number): Outcome => ({ kind: 'response', status, retryAfterMs: null });
const error = (kind: Exclude<Outcome['kind'], 'response'>): Outcome => ({ kind, error: 'what happened' });

test.each<[string, Outcome[]]>([
  ['success', [answer(200), answer(204), answer(299)]],
  ['timeout', [error('timeout')]],
  ['failure', [answer(500), answer(503), answer(400), answer(401), answer(404), answer(301)]],
  ['failure', [error('refused'), error('reset'), error('dns'), error('tls'), error('protocol')]],
  ['neither', [answer(408), answer(409), answer(410), answer(425), answer(429), error('blocked'), error('unknown')]],
])('evidence of %s', (evidence, outcomes) => {
  for (const outcome of outcomes) expect([outcome, evidenceOf(outcome)]).toEqual([outcome, evidence]);
});

/** So many failed attempts, one a second, spread over so many deliveries. */
function streak(failures: number, { deliveries = failures, timeouts = 0 } = {}): FailureStreak {
  let made: FailureStreak | undefined;
  for (let n = 0; n < failures; n += 1) {
    const isTimeout = n >= failures - timeouts;
    made = failedAgain(made, { deliveryId: `delivery-${n % deliveries}`, isTimeout, begunMs: n * 1_000 });
  }
  if (made === undefined) throw new Error('a streak has a failure');
  return made;
}

test.each([
  ['ten of ten deliveries over thirty seconds', streak(10), 30_000, true],
  ['ten of four deliveries', streak(10, { deliveries: 4 }), 30_000, true],
  ['ten of three deliveries, however long', streak(10, { deliveries: 3 }), 3_600_000, false],
  ['a hundred of one delivery', streak(100, { deliveries: 1 }), 3_600_000, false],
  ['nine', streak(9), 30_000, false],
  ['ten within less than thirty seconds', streak(10), 29_999, false],
  ['four timeouts of four deliveries', streak(4, { timeouts: 4 }), 4_000, true],
  ['four timeouts after something else', streak(6, { timeouts: 4 }), 6_000, true],
  ['four timeouts of two deliveries', streak(4, { deliveries: 2, timeouts: 4 }), 4_000, false],
  ['three timeouts', streak(3, { timeouts: 3 }), 3_600_000, false],
  ['five, of which three are timeouts', streak(5, { timeouts: 3 }), 6_000, false],
])('%s', (_, failures, nowMs, opens) => {
  expect(opensCircuit(failures, nowMs, POLICY)).toBe(opens);
});

test('a timeout counts only among others that follow each other', () => {
  const four = streak(4, { timeouts: 4 });
  const refused = failedAgain(streak(3, { timeouts: 3 }), { deliveryId: 'another', isTimeout: false, begunMs: 3_000 });
  const again = failedAgain(refused, { deliveryId: 'a fifth', isTimeout: true, begunMs: 4_000 });
  expect(opensCircuit(four, 5_000, POLICY)).toBe(true);
  expect(opensCircuit(again, 5_000, POLICY)).toBe(false);
});

test('nothing more is let go after the fourth failure in a row', () => {
  expect([undefined, streak(3), streak(4)].map(isFailing)).toEqual([false, false, true]);
});
