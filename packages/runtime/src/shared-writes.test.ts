import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { sharingWrites } from './shared-writes.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function setup() {
  const written: string[] = [];
  let exit = () => {};
  const sink = { write: (text: string) => written.push(text), flushSync: () => written.push('(flushed)') };
  const lines = sharingWrites(sink, (handOn) => {
    exit = handOn;
  });
  return { lines, written, exit: () => exit() };
}

test('lines of one turn are one write, in their order, and those of the moment after it another', () => {
  const { lines, written } = setup();
  for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
  expect(written).toEqual([]);
  jest.runAllTimers();
  expect(written).toEqual(['a\nb\nc\n']);
  lines.write('d\n');
  jest.advanceTimersByTime(10);
  lines.write('e\n');
  expect(written).toHaveLength(1);
  jest.advanceTimersByTime(10);
  expect(written).toEqual(['a\nb\nc\n', 'd\ne\n']);
});

test('at the exit of the process what waits is handed on, once', () => {
  const { lines, written, exit } = setup();
  lines.write('the last\n');
  exit();
  exit();
  jest.runAllTimers();
  expect(written).toEqual(['the last\n']);
});

test('a flush waits for no turn', () => {
  const { lines, written } = setup();
  lines.write('fatal\n');
  lines.flushSync();
  expect(written).toEqual(['fatal\n', '(flushed)']);
});
