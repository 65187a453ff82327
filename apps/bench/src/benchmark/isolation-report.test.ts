import { expect, test } from '@jest/globals';
import { AS_IF_NOTHING, type BesideRow, type Figure, HALF_A_SECOND } from './isolation-findings.js';
import { writeIsolation } from './isolation-report.js';

const paint = (_color: string, text: string) => text;
const alone = { p50: 10, p95: 20, p99: 30 };

function aRow(title: string, p99: number, limitMs = 80): BesideRow {
  const limit = { text: 'p99 2 ×, or 50 ms more', p99Ms: limitMs };
  return { title, alone, beside: { p50: 11, p95: 40, p99 }, arrived: 799, expected: 800, limit };
}

function aFigure(what: string, value: number, most?: number): Figure {
  return { scene: 'an outage', what, value, unit: 's', ...(most !== undefined && { most }) };
}

/** Cells apart by two spaces at least, without the headings. */
function linesOf(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(/ {2,}/));
}

test.each([
  ['within its limit', 80, ['80', 'holds']],
  ['above it', 81, ['81', 'no']],
  ['where one in a hundred never arrived', Infinity, ['never', 'no']],
])('what happens beside healthy customers is judged by their p99: %s', (_how, p99, [shown, verdict]) => {
  const lines = linesOf(writeIsolation([{ rows: [aRow('a flood', p99)], figures: [] }], paint));
  const row = ['a flood', '10, 30', '11', shown, '799 of 800', 'p99 2 ×, or 50 ms more', verdict];
  expect(lines).toContainEqual(row);
});

test('of several runs it is the one in the middle, by its own limit', () => {
  const runs = [aRow('a flood', 300, 100), aRow('a flood', 90, 100), aRow('a flood', 200, 210)];
  const lines = linesOf(
    writeIsolation(
      runs.map((row) => ({ rows: [row], figures: [] })),
      paint,
    ),
  );
  expect(lines.filter(([title]) => title === 'a flood')).toEqual([expect.arrayContaining(['200', 'holds'])]);
  expect(lines).toContainEqual(['(medians of 3 runs)']);
});

test('a figure with a limit is judged, and its scene named once', () => {
  const figures = [aFigure('events', 1_800), aFigure('lost', 1.25, 1), aFigure('the last', 30, 31.8)];
  expect(linesOf(writeIsolation([{ rows: [], figures }], paint)).slice(1)).toEqual([
    ['an outage', 'events', '1,800 s'],
    ['lost', '1.3 s', 'at most 1 s', 'no'],
    ['the last', '30 s', 'at most 31.8 s', 'holds'],
  ]);
});

test('as if nothing happened is twice as long, or 50 ms more', () => {
  expect([30, 50, 80].map((p99) => AS_IF_NOTHING.p99Ms({ ...alone, p99 }))).toEqual([80, 100, 160]);
  expect(HALF_A_SECOND.p99Ms(alone)).toBe(500);
});
