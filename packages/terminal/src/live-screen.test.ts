import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLiveScreen } from './live-screen.js';

const ERASE = '\r\x1b[2K';

test('on a terminal one line changes in place, and others appear above it', () => {
  const { screen, shown } = setup({ isTTY: true, columns: 12 });
  screen.update('1 of 2');
  screen.say('worker died');
  screen.update('2 of 2 finished');
  screen.settle();
  screen.say('done');
  const above = `${ERASE}1 of 2${ERASE}worker died\n${ERASE}1 of 2`;
  expect(shown()).toBe(`${above}${ERASE}2 of 2 fini\ndone\n`);
});

test('a terminal that does not know its width has 80 columns', () => {
  const { screen, shown } = setup({ isTTY: true, columns: 0 });
  screen.update('x'.repeat(100));
  expect(shown()).toBe(`${ERASE}${'x'.repeat(79)}`);
});

test('without a terminal each change is a line, and nothing else is written', () => {
  const { screen, shown } = setup({});
  for (const line of ['1 of 2', '1 of 2', '2 of 2']) screen.update(line);
  screen.settle();
  expect(shown()).toBe('1 of 2\n2 of 2\n');
});

function setup(terminal: { isTTY?: boolean; columns?: number }) {
  const output = Object.assign(new PassThrough(), terminal);
  return { screen: createLiveScreen(output, output), shown: () => `${output.read() ?? ''}` };
}
