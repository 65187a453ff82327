import { expect, test } from '@jest/globals';
import { type JsonText, readJsonText } from './json-text.js';

test('data is cut exactly as it was sent', () => {
  const data = '{ "z" : 1.10, "n":12345678901234567890 , "a":"\\u017c" }';
  const json = read(`{"event_type":"drift.created", "data" : ${data} }`);
  expect(json.textOf(['data'])).toBe(data);
});

test('each event of a batch, and its data, is cut exactly as it was sent', () => {
  const event = (n: number) => `{"data":{"n":${n}.0, "long":"${'x'.repeat(n)}"} , "event_type":"drift.e${n}"}`;
  const events = Array.from({ length: 100 }, (_, n) => event(n));
  const json = read(`{"customer_id":null,"events":[${events.join(' , ')}]}`);
  expect(events.map((_, n) => json.textOf(['events', n]))).toEqual(events);
  expect(json.textOf(['events', 99, 'data'])).toBe(`{"n":99.0, "long":"${'x'.repeat(99)}"}`);
  expect(json.textOf(['events', 99, 'data', 'n'])).toBe('99.0');
});

test('a span is the offsets of what textOf cuts', () => {
  const text = ' {"a":[ true ]} ';
  const json = read(text);
  expect(json.textOf([])).toBe('{"a":[ true ]}');
  expect(json.spanOf(['a', 0])).toEqual({ start: 8, end: 12 });
});

test.each([[['b']], [['a', 1]], [['a', '0']], [['a', 0, 'x']], [[0]], [['toString']]])('nothing is at %j', (path) => {
  expect(read('{"a":[1]}').textOf(path)).toBeUndefined();
});

test('the parsed value comes along', () => {
  expect(read('{"a":[1,"ż",null]}').value).toEqual({ a: [1, 'ż', null] });
});

test('__proto__ and constructor are plain data and change no prototype', () => {
  const { value, textOf } = read('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__', 'constructor']);
  expect(textOf(['__proto__'])).toBe('{"admin":true}');
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('admin');
});

test('what nobody can see in a text that is not JSON is named', () => {
  const reading = readJsonText('\uFEFF{}');
  expect(reading).toMatchObject({ ok: false, problem: { detail: expect.stringContaining('\\ufeff') } });
});

test.each([
  '',
  ' ',
  '{',
  '{"a":1',
  '{"a":}',
  '{"a":1,}',
  '[1,]',
  "{'a':1}",
  '{"a" 1}',
  '{"a":01}',
  'NaN',
  '[1e]',
  '{"a":1}}',
  '\uFEFF{}',
  '"a\nb"',
])('%j is not valid JSON', (text) => {
  const problem = { detail: expect.stringContaining('not valid JSON'), pointer: '' };
  expect(readJsonText(text)).toEqual({ ok: false, problem });
});

test('what JSON.parse would accept and Driftwire must not is refused with its pointer', () => {
  const problem = { detail: expect.any(String), pointer: '/events/1/data/x' };
  expect(readJsonText('{"events":[{},{"data":{"x":1,"x":2}}]}')).toEqual({ ok: false, problem });
});

test.each([
  ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['10,000 levels of objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['256 KiB of opening brackets', '['.repeat(256 * 1024)],
  ['8 MiB of opening brackets', '['.repeat(8 * 1024 * 1024)],
])('%s are refused before they hold the event loop', (_, text) => {
  const { reading, elapsedMs } = timed(() => readJsonText(text));
  expect(reading).toMatchObject({ ok: false });
  expect(elapsedMs).toBeLessThan(50);
});

test.each([
  ['backslashes', `["${'\\\\'.repeat(128 * 1024)}"]`],
  ['escaped quotes', `["${'\\"'.repeat(128 * 1024)}"]`],
  ['escapes that need decoding', `[${Array.from({ length: 29_000 }, () => '"\\u0041"').join(',')}]`],
  ['exponents', `[${Array.from({ length: 64_000 }, () => '1e1').join(',')}]`],
  ['distinct keys', `{${Array.from({ length: 25_000 }, (__, n) => `"${n.toString(36)}":1`).join(',')}}`],
  ['spaces', `[${' '.repeat(256 * 1024)}1]`],
])('256 KiB of %s take linear time', (_, text) => {
  const { reading, elapsedMs } = timed(() => readJsonText(text));
  expect(reading).toMatchObject({ ok: true });
  expect(elapsedMs).toBeLessThan(250); // about 10 ms; quadratic would be seconds
});

function read(text: string): JsonText {
  const reading = readJsonText(text);
  if (!reading.ok) throw new Error(reading.problem.detail);
  return reading.json;
}

function timed<T>(run: () => T): { reading: T; elapsedMs: number } {
  const startedAt = performance.now();
  const reading = run();
  return { reading, elapsedMs: performance.now() - startedAt };
}
