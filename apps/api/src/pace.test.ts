import { expect, test } from '@jest/globals';
import { createPace } from './pace.js';

function setup() {
  let nowMs = 0;
  const rankOf = createPace(() => nowMs);
  return {
    rankOf,
    pass(ms: number) {
      nowMs += ms;
    },
    ranks: (endpointId: string, count: number) => Array.from({ length: count }, () => rankOf(endpointId)),
  };
}

test('twenty at once are like everybody’s; of a flood each doubling is a rank further back', () => {
  const { ranks } = setup();
  const flood = ranks('flood', 1_000);
  expect(flood.slice(0, 20).every((rank) => rank === 0)).toBe(true);
  expect([flood[20], flood[39], flood[40], flood[79], flood[80], flood[999]]).toEqual([1, 1, 2, 2, 3, 6]);
});

test('a flood changes nothing for another endpoint', () => {
  const { ranks } = setup();
  ranks('flood', 1_000);
  expect(ranks('other', 20)).toEqual(Array(20).fill(0));
});

test('an endpoint that keeps to a hundred a second is never behind; one that does not is, and then is forgiven', () => {
  const { rankOf, ranks, pass } = setup();
  for (let event = 0; event < 1_000; event += 1) {
    pass(10);
    expect(rankOf('steady')).toBe(0);
  }
  ranks('busy', 220);
  expect(rankOf('busy')).toBeGreaterThan(0);
  pass(2_100);
  expect(rankOf('busy')).toBe(0);
});

test('no more is remembered than was ahead', () => {
  const { rankOf, pass } = setup();
  for (let endpoint = 0; endpoint < 30_000; endpoint += 1) {
    rankOf(`endpoint ${endpoint}`);
    pass(1);
  }
  expect(rankOf('endpoint 0')).toBe(0);
});
