import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scanJson } from './json-scan.js';

test.each([
  ['a duplicate key', '{"a":1,"b":2,"a":3}', '/a'],
  ['a duplicate key deep inside', '{"events":[{},{"data":{"x":[{"k":1,"k":1}]}}]}', '/events/1/data/x/0/k'],
  ['a duplicate key behind a nested object', '{"a":{"b":1},"a":2}', '/a'],
  ['a duplicate key in another spelling', '{"a":1,"\\u0061":2}', '/a'],
  ['two empty keys', '{"":1,"":2}', '/'],
  ['a duplicate key that needs escaping in a pointer', '{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', '/__proto__'],
  ['a number beyond finite', '{"n":[1,1e400]}', '/n/1'],
  ['a negative number beyond finite', '[-1E+309]', '/0'],
  ['a number of 400 digits', `{"n":${'9'.repeat(400)}}`, '/n'],
  ['an escaped NUL', '{"a":"\\u0000"}', '/a'],
  ['an escaped NUL in a key', '{"x":{"a\\u0000":1}}', '/x'],
  ['a literal NUL', '{"a":"\0"}', ''],
  ['an escaped lone high surrogate', '{"a":["\\ud83d"]}', '/a/0'],
  ['an escaped lone low surrogate', '{"a":"\\uDE00x"}', '/a'],
  ['surrogates in the wrong order', '{"a":"\\ude00\\ud83d"}', '/a'],
  ['a lone surrogate in a key', '{"\\ud83d":1}', ''],
  ['a literal lone surrogate', '{"a":"\ud83d"}', ''],
  ['half a pair literal, half escaped', '{"a":"\ud83d\\ude00"}', ''],
  ['an invalid escape', '{"a":"\\u00zz"}', '/a'],
  ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`, '/0'.repeat(64)],
])('%s is refused, with its pointer', (_, text, pointer) => {
  expect(scanJson(text)).toEqual({ ok: false, problem: { detail: expect.stringMatching(/\.$/), pointer } });
});

test.each([
  ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`],
  ['the same key in siblings and in parents', '{"a":{"a":1},"b":{"a":1},"c":[{"a":1},{"a":1}]}'],
  ['keys that differ in case', '{"a":1,"A":2}'],
  ['a value that looks like a key', '{"a":"b","b":"a"}'],
  ['equal strings in an array', '["a","a"]'],
  ['the largest double', '[1.7976931348623157e308,-1e308,1e-400,12345678901234567890,1.10]'],
  ['a 308-digit integer', `[${'1'.repeat(308)}]`],
  ['an escaped pair', '["\\ud83d\\ude00"]'],
  ['a backslash before u0000', '["\\\\u0000"]'],
  ['brackets, quotes and commas inside strings', '{"a":"]}[{,\\"\\\\","b":1}'],
  ['a scalar', '1'],
  ['the word true, which has an e', '[true,false,null]'],
])('%s passes', (_, text) => {
  expect(scanJson(text).ok).toBe(true);
});

test('what JSON.stringify writes always passes, unless it holds what Postgres cannot store', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' }), (value) => {
      const text = JSON.stringify(value);
      const isStorable = !/\\u0000|\\u[dD][89a-fA-F]/.test(text.replaceAll('\\\\', ''));
      expect(scanJson(text).ok).toBe(isStorable);
    }),
  );
});

test('no text, JSON or not, makes the scan throw or hang', () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '\\u', '1', 'e', '-', 'a', ' ', 'true');
  fc.assert(
    fc.property(
      fc.array(pieces).map((list) => list.join('')),
      (text) => {
        expect(typeof scanJson(text).ok).toBe('boolean');
      },
    ),
    { numRuns: 1000 },
  );
});
