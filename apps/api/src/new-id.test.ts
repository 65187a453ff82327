import { expect, test } from '@jest/globals';
import { newId, uuidv7 } from './new-id.js';

test('ids of one millisecond are all different, and begin with it', () => {
  const ids = Array.from({ length: 10_000 }, () => uuidv7(0x19a_bcde_f012));
  expect(new Set(ids).size).toBe(ids.length);
  const shape = /^019abcde-f012-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(ids.filter((id) => !shape.test(id))).toEqual([]);
});

/** The library leaves the first of the 74 bits at 0, as room for a counter. */
const LEFT_TO_CHANCE = 0x07ff_3fff_ffff_ffff_ffffn;

test('every bit that is left to chance is 0 and 1', () => {
  const ids = Array.from({ length: 1_000 }, () => BigInt(`0x${uuidv7(0).replaceAll('-', '')}`));
  const ever = (bits: bigint[]) => bits.reduce((sum, one) => sum | one);
  expect(ever(ids) & LEFT_TO_CHANCE).toBe(LEFT_TO_CHANCE);
  expect(ever(ids.map((id) => ~id & LEFT_TO_CHANCE))).toBe(LEFT_TO_CHANCE);
});

test('a later thing has a higher id', () => {
  expect(newId(() => new Date(1_000)) < newId(() => new Date(1_001))).toBe(true);
});
