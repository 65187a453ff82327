import { expect, test } from '@jest/globals';
import { createByteBudget, type Hold } from './byte-budget.js';

const never = () => new AbortController().signal;
const aBudget = (options: Partial<Parameters<typeof createByteBudget>[0]> = {}) =>
  createByteBudget({ capacity: 10, maxWaiting: 10, waitMs: 60_000, ...options });

/** What has become of a take that may have to wait. */
async function stateOf(taken: Hold | Promise<Hold>): Promise<string> {
  return Promise.race([Promise.resolve(taken).then(() => 'held', codeOf), Promise.resolve().then(settle)]);
}
const settle = async () => {
  for (let n = 0; n < 10; n += 1) await null;
  return 'waiting';
};
const codeOf = (error: { code?: string }) => error.code ?? 'bug';

test('what is free is given at once, and never more than there is', async () => {
  const { take } = aBudget();
  const first = await take(6, never);
  const second = take(5, never);
  expect(await stateOf(second)).toBe('waiting');
  first.release();
  expect(await stateOf(second)).toBe('held');
});

test('a hold that shrinks makes room, and one that is given back twice makes it once', async () => {
  const { take } = aBudget();
  const first = await take(10, never);
  first.shrinkTo(4);
  first.shrinkTo(8);
  const second = await take(6, never);
  first.release();
  first.release();
  expect(await stateOf(take(4, never))).toBe('held');
  expect(await stateOf(take(1, never))).toBe('waiting');
  second.release();
});

test('nobody overtakes: a small one waits behind a large one', async () => {
  const { take } = aBudget();
  const first = await take(6, never);
  const large = take(9, never);
  const small = take(1, never);
  expect(await stateOf(small)).toBe('waiting');
  first.shrinkTo(4);
  expect(await Promise.all([stateOf(large), stateOf(small)])).toEqual(['waiting', 'waiting']);
  first.release();
  expect(await Promise.all([stateOf(large), stateOf(small)])).toEqual(['held', 'held']);
});

test('who waits too long, or comes when too many wait, is refused', async () => {
  const { take } = aBudget({ maxWaiting: 1, waitMs: 20 });
  const first = await take(10, never);
  const waits = Promise.resolve(take(1, never)).catch(codeOf);
  expect(() => take(1, never)).toThrow('Other requests have to be worked through first.');
  expect(await waits).toBe('overloaded');
  first.release();
  expect(await stateOf(take(10, never))).toBe('held');
});

test('who has gone waits no more, and those behind it do not wait for it', async () => {
  const { take } = aBudget();
  const first = await take(6, never);
  const leaving = new AbortController();
  const large = Promise.resolve(take(9, () => leaving.signal)).catch(codeOf);
  const small = take(1, never);
  leaving.abort();
  expect(await large).toBe('overloaded');
  expect(await stateOf(small)).toBe('held');
  first.release();
  expect(await stateOf(take(9, never))).toBe('held');
});
