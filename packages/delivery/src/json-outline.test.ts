import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { outlineJson } from './json-outline.js';
import { readJsonText } from './json-text.js';

const options = { list: 'events', maxItems: 3, pause: () => undefined };
const outlined = (text: string, overrides: Partial<typeof options> = {}) =>
  outlineJson(text, { ...options, ...overrides });

async function outlineOf(text: string) {
  const reading = await outlined(text);
  if (!reading.ok) throw new Error(reading.problem.detail);
  return reading.outline;
}

test('each item is read as if it stood alone, and cut exactly as it was sent', async () => {
  const items = ['{ "data" : {"n":1.10, "long":"x"} }', '12345678901234567890', '"]}[{,\\""'];
  const { value, items: spans, itemAt } = await outlineOf(` {"a":[{}], "events" : [ ${items.join(' , ')} ]} `);
  expect(value).toEqual({ a: [{}], events: ['', '', ''] });
  const readings = spans.map(itemAt);
  expect(readings.map((reading) => reading.ok && reading.json.textOf([]))).toEqual(items);
  const [first] = readings;
  expect(first?.ok && first.json.textOf(['data', 'n'])).toBe('1.10');
});

test('of a list that is too long one item too many is in the outline, and no more', async () => {
  const long = `{"events":[${'{"a":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},'.repeat(100)}{}],"b":1}`;
  const { value } = await outlineOf(long);
  expect(value).toEqual({ events: ['', '', '', ''], b: 1 });
});

test.each(['null', '[]', '1', '{}', '{"events":{}}', '{"events":[]}', '{"data":{"events":[1]}}'])(
  '%s has no items, and is what it is',
  async (text) => {
    const { value, items } = await outlineOf(text);
    expect(value).toEqual(JSON.parse(text));
    expect(items).toEqual([]);
  },
);

test('what stands beside the items is bounded', async () => {
  const text = `{"data":"${'x'.repeat(64 * 1024)}","events":[1]}`;
  expect(await outlined(text)).toEqual({
    ok: false,
    problem: { detail: 'More than 64 KiB stand beside the events.', pointer: '' },
  });
});

test('a pause is made between steps, and what is wrong is found behind it as well', async () => {
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
  };
  const text = `{"events":["${'é😀'.repeat(100_000)}","\\u0000"]}`;
  const reading = await outlineJson(text, { ...options, pause });
  expect(reading).toEqual({ ok: false, problem: { detail: expect.stringContaining('NUL'), pointer: '/events/1' } });
  expect(pauses).toBeGreaterThan(2);
});

test('a text is acceptable exactly when it is read whole, wherever its pieces go', async () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', '"events"', '""', ':', ',', '1', 'e', '-', ' ', 'true', '"a"');
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((some) => some.join('')),
    fc.array(pieces, { maxLength: 8 }).map((some) => `{"events":[${some.join('')}]}`),
    fc.array(fc.jsonValue(), { maxLength: 3 }).map((events) => JSON.stringify({ a: 1, events })),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const whole = readJsonText(text);
      const reading = await outlined(text, { maxItems: 100 });
      const isRead = reading.ok && reading.outline.items.every((item) => reading.outline.itemAt(item).ok);
      expect(isRead).toBe(whole.ok);
    }),
    { numRuns: 2_000 },
  );
});
