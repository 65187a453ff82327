import { expect, test } from '@jest/globals';
import { idRange } from './id-range.js';

test('from the first id of the earliest millisecond to the last one of the latest, whatever the order and the case', () => {
  const ids = [
    '019a0000-0002-7aaa-8aaa-aaaaaaaaaaaa',
    '019A0000-0001-7BBB-8BBB-BBBBBBBBBBBB',
    '019a0000-0003-7ccc-8ccc-cccccccccccc',
  ];
  expect(idRange(ids)).toEqual({
    lowest: '019a0000-0001-0000-0000-000000000000',
    highest: '019a0000-0003-ffff-ffff-ffffffffffff',
  });
});

test('of nothing it is nothing', () => {
  expect(idRange([]).lowest).toBe('00000000-0000-0000-0000-000000000000');
});
