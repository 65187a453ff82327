import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { appendMember, removeMember } from './json-splice.js';

test.each([
  ['first', '{"key":"k","a":1.10,"b":2}', '{"a":1.10,"b":2}'],
  ['in the middle', '{"a":1.10,"key":"k","b":2}', '{"a":1.10,"b":2}'],
  ['last', '{"a":1.10,"b":2,"key":"k"}', '{"a":1.10,"b":2}'],
  ['alone', '{"key":"k"}', '{}'],
  ['first, with spaces', '{ "key" : "k" , "a" : 1 }', '{ "a" : 1 }'],
  ['last, with spaces', '{ "a" : 1 , "key" : "k" }', '{ "a" : 1 }'],
  ['in another spelling', '{"a":1,"k\\u0065y":"k"}', '{"a":1}'],
  ['with commas and braces in its value', '{"a":1,"key":"},{\\"","b":2}', '{"a":1,"b":2}'],
  ['also inside a sibling, which stays', '{"a":{"key":1},"key":2}', '{"a":{"key":1}}'],
  ['absent', '{"a":1.10}', '{"a":1.10}'],
])('removing a member that is %s', (_, text, without) => {
  expect(removeMember(text, 'key')).toBe(without);
});

test.each([
  ['{"a":1.10}', '{"a":1.10,"d":0.19}'],
  ['{}', '{"d":0.19}'],
  ['{ }', '{"d":0.19 }'],
  ['{ "a" : 1 }', '{ "a" : 1,"d":0.19 }'],
  ['{\n  "a": 1\n}\n', '{\n  "a": 1,"d":0.19\n}\n'],
  ['{"a":{}}', '{"a":{},"d":0.19}'],
  ['{"a":"{"}', '{"a":"{","d":0.19}'],
  ['{"a":"ż🦆}"}', '{"a":"ż🦆}","d":0.19}'],
])('appending to %j makes %j', (text, appended) => {
  expect(appendMember(text, 'd', '0.19')).toBe(appended);
});

test('what was appended can be removed again without a trace', () => {
  fc.assert(
    fc.property(anObject(), fc.constantFrom(undefined, 1, 4), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      const appended = appendMember(text, 'added', '[1.10]');
      expect(JSON.parse(appended)).toEqual({ ...JSON.parse(text), added: [1.1] });
      expect(Object.keys(JSON.parse(appended))).toContain('added');
      expect(removeMember(appended, 'added')).toBe(text);
    }),
  );
});

function anObject() {
  return fc.dictionary(fc.stringMatching(/^k[^\0]{0,5}$/), fc.jsonValue({ maxDepth: 3 }));
}
