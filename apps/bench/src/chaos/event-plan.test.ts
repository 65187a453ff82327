import { expect, test } from '@jest/globals';
import { eventType, planPosts } from './event-plan.js';

test('every event is posted once, in order, evenly over the time', () => {
  const posts = planPosts(7, { events: 100, overMs: 50_000 });
  expect(posts.flatMap(({ ns }) => ns)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  for (const { ns, atMs } of posts) expect(atMs).toBeCloseTo(((ns[0] ?? 0) - 1) * 500);
  expect(posts.some(({ ns }) => ns.length > 1)).toBe(true);
});

test('a rush for the endpoints with limits comes in one post, whatever the seed', () => {
  for (const seed of [7, 8, 9]) {
    const rushes = planPosts(seed, { events: 450, overMs: 50_000 }).filter(({ ns }) => ns.length > 5);
    expect(rushes.map(({ ns }) => [ns[0], ns.length])).toEqual([
      [10, 30],
      [210, 30],
      [410, 30],
    ]);
    expect(new Set(rushes.flatMap(({ ns }) => ns.map((n) => eventType(seed, n))))).toEqual(new Set(['drift.limited']));
  }
});

test('the type of an event depends on seed and number only, and all types occur', () => {
  const types = Array.from({ length: 500 }, (_, index) => eventType(7, index));
  expect(types).toEqual(Array.from({ length: 500 }, (_, index) => eventType(7, index)));
  expect(new Set(types)).toEqual(
    new Set([
      'poison.drift',
      'drift.calm',
      'drift.flaky',
      'drift.limited',
      'drift.broken',
      'drift.calm.gone',
      'drift.calm.paused',
    ]),
  );
});
