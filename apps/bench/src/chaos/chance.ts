import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** 0 ≤ a number < 1, another one at each call. */
export type Chance = () => number;

/** The same seed and facts always give the same numbers, whatever else was drawn meanwhile. */
export function chanceOf(seed: number, ...facts: (string | number)[]): Chance {
  const digest = createHash('sha256')
    .update([seed, ...facts].join('/'))
    .digest();
  const generator = xoroshiro128plus(digest.readInt32LE());
  return () => uniformFloat64(generator);
}

/** A whole number, both ends included. */
export function between(chance: Chance, least: number, most: number): number {
  return least + Math.floor(chance() * (most - least + 1));
}

export function pickFrom<T>(chance: Chance, things: readonly T[]): T | undefined {
  return things[Math.floor(chance() * things.length)];
}

export function shuffle<T>(chance: Chance, things: readonly T[]): T[] {
  return things
    .map((thing) => ({ thing, order: chance() }))
    .sort((one, other) => one.order - other.order)
    .map(({ thing }) => thing);
}
