import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { Problem } from './problem.js';
import { parse, pointerOf, readJson, readOptionalJson } from './request-body.js';

test.each([
  [[], ''],
  [['a', 0, 'b'], '/a/0/b'],
  [['a/b', '~', 'm~n/'], '/a~1b/~0/m~0n~1'],
  [[''], '/'],
])('the pointer of %j is %p (RFC 6901)', (path, pointer) => {
  expect(pointerOf(path)).toBe(pointer);
});

test('every violation is answered, each unknown field with its own pointer', () => {
  const schema = z.strictObject({ name: z.string('must be a text') });
  expect(violationsOf(() => parse(schema, { name: 1, a: 1, 'b/c': 1 }))).toEqual([
    { pointer: '/name', detail: 'must be a text' },
    { pointer: '/a', detail: 'is not a known field' },
    { pointer: '/b~1c', detail: 'is not a known field' },
  ]);
});

test('a missing field is called required, at any depth', () => {
  const schema = z.object({ list: z.array(z.object({ name: z.string('must be a text') })) });
  expect(violationsOf(() => parse(schema, { list: [{ name: 'a' }, {}] }))).toEqual([
    { pointer: '/list/1/name', detail: 'is required: must be a text' },
  ]);
});

test('what a schema refuses without words of its own is told in ours', () => {
  const schema = z.strictObject({
    text: z.string().max(1),
    list: z.array(z.int()),
    short: z.array(z.int()).min(2),
    choice: z.enum(['a', 'b']),
    id: z.uuid(),
    number: z.number().min(1).max(2),
    either: z.union([z.string(), z.boolean()]),
  });
  const bent = { text: 'xx', list: [1.5], short: [1], choice: 'c', id: 'x', number: 3, either: 1 };
  expect(violationsOf(() => parse(schema, bent)).map(({ pointer, detail }) => `${pointer} ${detail}`)).toEqual([
    '/text must have at most 1 characters',
    '/list/0 must be a whole number',
    '/short must have at least 2 entries',
    '/choice must be one of a, b',
    '/id must be a UUID',
    '/number must be at most 2',
    '/either is not acceptable',
  ]);
  expect(violationsOf(() => parse(schema, null))).toEqual([{ pointer: '', detail: 'must be an object' }]);
});

test('a __proto__ in a body changes nobody’s prototype', () => {
  const { value } = readJson(Buffer.from('{"__proto__":{"role":"admin"},"a":{"__proto__":null}}'));
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('role');
});

test('a missing body is refused where one is needed, and is an empty object where none is', () => {
  for (const missing of [undefined, Buffer.alloc(0)]) {
    expect(() => readJson(missing)).toThrow(Problem);
    expect(readOptionalJson(missing).value).toEqual({});
  }
});

test('a byte order mark is ignored, and alone it is no body', () => {
  const { value, textOf } = readJson(Buffer.from('\ufeff{"a":1.10}'));
  expect(value).toEqual({ a: 1.1 });
  expect(textOf([])).toBe('{"a":1.10}');
  expect(readOptionalJson(Buffer.from('\ufeff')).value).toEqual({});
});

test.each([[[0xff]], [[0x22, 0xc3, 0x28, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]]])(
  'bytes %j are not UTF-8',
  (bytes) => {
    expect(() => readJson(Buffer.from(bytes))).toThrow('The body is not valid UTF-8.');
  },
);

test('10,000 levels are refused in less than 50 ms', () => {
  const startedAt = performance.now();
  expect(() => readJson(Buffer.from('['.repeat(10_000)))).toThrow(/deeper/);
  expect(performance.now() - startedAt).toBeLessThan(50);
});

function violationsOf(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error.violations;
  }
  throw new Error('no problem');
}
