import { expect, test } from '@jest/globals';
import { type Asked, planReply } from './reply-plan.js';

const NUMBERS = Array.from({ length: 200 }, (_, index) => index + 1);

test('a flaky receiver behaves the same for the same request, badly in every way, and gives in at the third or never', () => {
  const replies = (nth: number) => NUMBERS.map((n) => planReply(7, ask({ endpoint: 'flaky', n, nth })));
  expect(replies(1)).toEqual(replies(1));
  const kinds = new Set(replies(1).map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(['answer', 'hang', 'reset', 'drip', 'reset-in-body']));
  const refused = replies(3).filter((reply) => reply.kind !== 'answer' || reply.status !== 200);
  expect(refused.length).toBeGreaterThan(5);
  expect(refused.length).toBeLessThan(35);
});

test.each([
  ['steady', 200],
  ['slow', 200],
  ['frail', 200],
  ['busy', 200],
  ['paced', 200],
  ['broken', 200],
  ['gone', 410],
  ['paused', 503],
] as const)('%s answers %d to everything', (endpoint, status) => {
  for (const n of NUMBERS) expect(planReply(7, ask({ endpoint, n }))).toMatchObject({ kind: 'answer', status });
});

function ask(overrides: Partial<Asked>): Asked {
  return { endpoint: 'steady', n: 1, nth: 1, ...overrides };
}
