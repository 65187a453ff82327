import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { childSpans, rootSpan } from './json-span.js';

const cut = (text: string, start = 0) =>
  [...childSpans(text, start)].map(([step, span]) => [step, text.slice(span.start, span.end)]);

test('members are cut by key, items by index, byte for byte', () => {
  expect(cut('{ "a" : 1.10 , "b":[1, 2],"c":{"d":"}"} , "e":"\\"]" }')).toEqual([
    ['a', '1.10'],
    ['b', '[1, 2]'],
    ['c', '{"d":"}"}'],
    ['e', '"\\"]"'],
  ]);
  expect(cut('[ true ,null,"a,b" , 12345678901234567890]')).toEqual([
    [0, 'true'],
    [1, 'null'],
    [2, '"a,b"'],
    [3, '12345678901234567890'],
  ]);
});

test.each(['{}', '[]', '{ }', '[\n]', '"{}"', '1', 'null'])('%j has no children', (text) => {
  expect(cut(text)).toEqual([]);
});

test('keys are compared after unescaping', () => {
  expect(cut('{"\\u0061\\"":1}')).toEqual([['a"', '1']]);
});

test('a member begins at its key, an item at its value', () => {
  expect(childSpans('{ "a" : 1 }', 0).get('a')).toEqual({ from: 2, start: 8, end: 9 });
  expect(childSpans('[ 1 ]', 0).get(0)).toEqual({ from: 2, start: 2, end: 3 });
});

test('the root is the value without the spaces around it', () => {
  expect(rootSpan(' \n{ "a":1 }\t ')).toEqual({ start: 2, end: 11 });
});

test('a walk over a text that is cut short ends all the same', () => {
  const text = '{"a":{"b":"c"},"d":[1,2]}';
  const lengths = Array.from(text, (_, length) => length);
  expect(lengths.every((length) => childSpans(text.slice(0, length), 0).size <= 2)).toBe(true);
});

test('every child of any JSON text parses to that child', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t'), (value, indent) => {
      const text = JSON.stringify({ value, again: [value] }, null, indent);
      const members = childSpans(text, 0);
      const again = members.get('again');
      const item = childSpans(text, again?.start ?? 0).get(0);
      expect(JSON.parse(text.slice(members.get('value')?.start, members.get('value')?.end))).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
      expect(JSON.parse(text.slice(item?.start, item?.end))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
