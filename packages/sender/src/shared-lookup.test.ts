import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ResolveAll } from './guarded-lookup.js';
import { sharedLookup } from './shared-lookup.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('those who ask for a name while it is being asked for share the answer, which is not kept', () => {
  const { ask, asked, answer } = setup();
  const first = [ask('a'), ask('a'), ask('b')];
  expect(asked()).toEqual(['a', 'b']);
  answer('a', '192.0.2.1');
  expect(first).toEqual([['192.0.2.1'], ['192.0.2.1'], []]);
  const later = ask('a');
  expect(asked()).toEqual(['a', 'b', 'a']);
  answer('a', '192.0.2.2');
  expect(later).toEqual(['192.0.2.2']);
});

test('they share an error, too, and a quick one is not remembered', () => {
  const { ask, asked, fail } = setup();
  const both = [ask('a'), ask('a')];
  fail('a', 'ENOTFOUND');
  expect(both).toEqual([['ENOTFOUND'], ['ENOTFOUND']]);
  ask('a');
  expect(asked()).toEqual(['a', 'a']);
});

test('of those who wait for a name whose server does not answer, one waits longer than a second', () => {
  const { ask, asked, answer, fail } = setup();
  const [first, second] = [ask('a'), ask('a')];
  jest.advanceTimersByTime(999);
  expect([first, second]).toEqual([[], []]);
  jest.advanceTimersByTime(1);
  expect([first, second, ask('a')]).toEqual([[], [UNASKED], [UNASKED]]);
  expect(asked()).toEqual(['a']);
  answer('a', '192.0.2.1');
  expect(first).toEqual(['192.0.2.1']);
  ask('a');
  fail('a', 'ENOTFOUND');
  expect(asked()).toEqual(['a', 'a']);
});

test('a name that hangs fails at once from its tenth second on, and is asked for again when the thread is back and ten seconds have gone', () => {
  const { ask, asked, fail } = setup();
  const first = ask('a');
  jest.advanceTimersByTime(9_999);
  expect(first).toEqual([]);
  jest.advanceTimersByTime(1);
  expect([first, ask('a')]).toEqual([['ETIMEOUT'], ['ETIMEOUT']]);
  jest.advanceTimersByTime(60_000);
  expect([ask('a'), asked()]).toEqual([['ETIMEOUT'], ['a']]);
  fail('a', 'EAI_AGAIN');
  jest.advanceTimersByTime(9_999);
  expect(ask('a')).toEqual(['EAI_AGAIN']);
  jest.advanceTimersByTime(1);
  expect(ask('a')).toEqual([]);
  expect(asked()).toEqual(['a', 'a']);
});

test('with every place taken a name waits for one, for a second at most', () => {
  const { ask, asked, answer } = setup({ places: 2 });
  const [, , third, fourth] = [ask('a'), ask('b'), ask('c'), ask('d')];
  expect(asked()).toEqual(['a', 'b']);
  answer('a', '192.0.2.1');
  expect(asked()).toEqual(['a', 'b', 'c']);
  jest.advanceTimersByTime(1_000);
  expect([third, fourth]).toEqual([[], [UNASKED]]);
  answer('b', '192.0.2.1');
  expect(asked()).toEqual(['a', 'b', 'c']);
});

test('a hundred names that have hung leave places for others', () => {
  const { ask, asked, fail } = setup({ places: 8 });
  const hanging = Array.from({ length: 8 }, (_, index) => `hangs-${index}`);
  for (const name of hanging) ask(name);
  jest.advanceTimersByTime(5_000);
  for (const name of hanging) fail(name, 'EAI_AGAIN');
  jest.advanceTimersByTime(10_000);
  for (const name of hanging) ask(name);
  expect(asked().slice(8)).toEqual(hanging.slice(0, 6));
  ask('healthy');
  ask('healthy too');
  expect(asked().slice(14)).toEqual(['healthy', 'healthy too']);
});

test('a name that answers quickly again is doubted no more', () => {
  const { ask, asked, answer } = setup({ places: 2 });
  for (const waitsMs of [1_000, 0]) {
    ask('a');
    jest.advanceTimersByTime(waitsMs);
    answer('a', '192.0.2.1');
  }
  ask('b');
  ask('a');
  expect(asked()).toEqual(['a', 'a', 'b', 'a']);
});

const UNASKED = 'ERR_DRIFTWIRE_LOOKUP_UNASKED';

function setup({ places = 4 } = {}) {
  const all: { hostname: string; reply: Parameters<ResolveAll>[2] }[] = [];
  const open = new Map<string, Parameters<ResolveAll>[2]>();
  const shared = sharedLookup({
    places,
    lookup: (hostname, _options, reply) => {
      all.push({ hostname, reply });
      open.set(hostname, reply);
    },
    now: () => Date.now(),
  });
  return {
    asked: () => all.map(({ hostname }) => hostname),
    answer: (hostname: string, address: string) => open.get(hostname)?.(null, [{ address, family: 4 }]),
    fail: (hostname: string, code: string) => open.get(hostname)?.(Object.assign(new Error(code), { code }), []),
    /** What came back so far: addresses or a code. */
    ask: (hostname: string) => {
      const heard: string[] = [];
      shared(hostname, { all: true }, (error, addresses) => {
        heard.push(...(error?.code ? [error.code] : addresses.map(({ address }) => address)));
      });
      return heard;
    },
  };
}
