import { expect, test } from '@jest/globals';
import { createWaitingLine } from './waiting-line.js';

const who = (name: string, sinceMs: number) => ({ name, sinceMs });

test('the first is who has waited longest, of those whose endpoint may', () => {
  const line = createWaitingLine<ReturnType<typeof who>>();
  line.push('a', who('a1', 1));
  line.push('b', who('b1', 2));
  line.push('a', who('a2', 3));
  const first = (...may: string[]) => line.takeFirst((id) => may.includes(id))?.name;
  expect(first('b')).toBe('b1');
  line.push('b', who('b2', 4));
  expect([first('a', 'b'), first('a', 'b'), first('a', 'b'), first('a', 'b')]).toEqual(['a1', 'a2', 'b2', undefined]);
  expect([line.length(), line.counts()]).toEqual([0, []]);
});

test('those that are not to stay are taken out, and know how many have come before', () => {
  const line = createWaitingLine<ReturnType<typeof who>>();
  for (const name of ['a0', 'a1', 'a2']) line.push('a', who(name, 1));
  line.push('b', who('b0', 1));
  expect(line.takeUnless(({ name }, ahead) => name === `a${ahead}` && ahead < 2).map(({ name }) => name)).toEqual([
    'a2',
    'b0',
  ]);
  expect([line.length(), line.countOf('a'), line.countOf('b'), line.counts()]).toEqual([2, 2, 0, [['a', 2]]]);
});
