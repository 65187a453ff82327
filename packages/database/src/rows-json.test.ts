import { expect, test } from '@jest/globals';
import { rowsJson } from './rows-json.js';

const aRow = (n: number) => ({ n, body: `"é${'x'.repeat(10_000)}`, key: undefined });
const bytesOf = ({ body }: { body: string }) => body.length;

test('rows are the same JSON, few or many', async () => {
  for (const count of [0, 1, 100]) {
    const rows = Array.from({ length: count }, (_, n) => aRow(n));
    expect(await rowsJson(rows, bytesOf)).toBe(JSON.stringify(rows));
  }
});

test('few rows are written at once, many give way to others in between', async () => {
  expect(typeof rowsJson([aRow(1)], bytesOf)).toBe('string');
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await rowsJson(
    Array.from({ length: 200 }, (_, n) => aRow(n)),
    bytesOf,
  );
  clearImmediate(timer);
  expect(turns).toBeGreaterThan(5);
});

test('two large ones are not handed over in the same turn', async () => {
  const rows = Array.from({ length: 100 }, (_, n) => aRow(n));
  const ends: number[] = [];
  let turn = 0;
  const count = () => {
    turn += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await Promise.all([1, 2].map(async () => rowsJson(rows, bytesOf)).map((one) => one.then(() => ends.push(turn))));
  clearImmediate(timer);
  expect(new Set(ends).size).toBe(2);
});
