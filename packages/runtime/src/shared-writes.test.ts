import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { sharingWrites } from './shared-writes.js';

function setup() {
  const written: string[] = [];
  let exit = () => {};
  const sink = { write: (text: string) => written.push(text), flushSync: () => written.push('(flushed)') };
  const lines = sharingWrites(sink, (handOn) => {
    exit = handOn;
  });
  return { lines, written, exit: () => exit() };
}

test('lines of one turn of the event loop are one write, in their order, and those of the next another', async () => {
  const { lines, written } = setup();
  for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
  expect(written).toEqual([]);
  await turn();
  expect(written).toEqual(['a\nb\nc\n']);
  lines.write('d\n');
  await turn();
  expect(written).toEqual(['a\nb\nc\n', 'd\n']);
});

test('at the exit of the process what waits is handed on, once', async () => {
  const { lines, written, exit } = setup();
  lines.write('the last\n');
  exit();
  exit();
  await turn();
  expect(written).toEqual(['the last\n']);
});

test('a flush waits for no turn', () => {
  const { lines, written } = setup();
  lines.write('fatal\n');
  lines.flushSync();
  expect(written).toEqual(['fatal\n', '(flushed)']);
});
